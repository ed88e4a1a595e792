/** The router itself. */
import { health } from '#schema/answers/health';
import type { Description } from './description.ts';

const open = { tag: 'Router', key: 'none' } as const;

export const getHealth: Description = {
  ...open,
  id: 'getHealth',
  summary: 'Say that the router runs',
  text: 'Touches no database.',
  answer: health,
};

export const getOpenapi: Description = {
  ...open,
  id: 'getOpenapi',
  summary: 'This description',
  text: 'OpenAPI 3.1.',
  answer: 'application/json',
};

export const openNodeLink: Description = {
  ...open,
  id: 'openNodeLink',
  summary: 'Link a node',
  text: 'A WebSocket, opened by the node itself: it proves who it is by signing the challenge that comes first, and then serves requests over it. `headrace node join` speaks it.',
  answer: 'application/json',
  upgrades: true,
};

export const getDocs: Description = { ...open, id: 'getDocs', summary: 'This description, to read', answer: 'text/html' };

export const getConsole: Description = { ...open, id: 'getConsole', summary: 'The console', answer: 'text/html' };
