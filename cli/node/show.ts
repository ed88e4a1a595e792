/** What people and programs see of a node at work: calm lines, or one JSON object a line. */
import type { NodeLoad } from '#schema/node-service';
import type { Output, Style } from '../output.ts';
import { toJsonText, toPlainText } from '../plain-text.ts';
import type { Step } from '../progress.ts';
import { sayCount, sayMs, sayNumberOf } from '../quantities.ts';
import { sayHeld, sayPrice } from '../show/endpoint.ts';
import type { NodeEvent, NodeStatus } from './node-status.ts';
import type { HeldPrice, Joined } from './router.ts';

/** Shows events as they come, and the status when it is asked to. */
export interface Show {
  event(event: NodeEvent): void;
  /** Shows the status, if it is another than the last one shown. */
  status(status: NodeStatus): void;
  /** A fact of the way to the first event, for programs. */
  fact(name: string, fields: object): void;
  /** The router has taken the node in (`joined`), or heard what it serves now (`renewed`). People are told of prices that are not charged as asked. */
  taken(name: 'joined' | 'renewed', fields: object, taken: Joined): void;
  /** The last word: why, and how many requests were not finished. `reason` null: it was asked to leave. */
  end(reason: string | null, cut: number, status: NodeStatus): void;
}

/** How a command talks on its way. */
export interface Talk {
  output: Output;
  step: Step;
  show: Show;
}

/** Chooses the way that the command was asked for. */
export function createShow(output: Output): Show {
  return output.isJson ? createJsonShow(output) : createTextShow(output);
}

function createJsonShow(output: Output): Show {
  const say = (event: string, fields: object): void => output.raw(`${toJsonText({ event, at: new Date().toISOString(), ...fields })}\n`);
  let last = '';
  return {
    event: ({ type, ...fields }) => say(EVENT_NAMES[type] ?? type, toSnake(fields)),
    status(status) {
      const text = JSON.stringify(status);
      if (text !== last) say('status', toSnake(status));
      last = text;
    },
    fact: say,
    taken: (name, fields, { endpoints, heldPrices }) => say(name, { ...fields, endpoints, held_prices: heldPrices }),
    end: (reason, cut, { served, failed, completionTokens }) => say('end', toSnake({ reason, cut, served, failed, completionTokens })),
  };
}

const EVENT_NAMES: Readonly<Record<string, string>> = { welcome: 'linked' };

/** Writes field names as the API does. */
function toSnake(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), nested(value)]),
  );
}

function nested(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? toSnake(value) : value;
}

const STATE_STYLES: Readonly<Record<string, Style>> = {
  active: 'green',
  probation: 'green',
  probing: 'cyan',
  pending: 'cyan',
  quarantined: 'red',
  retired: 'red',
};

/** What a state means for whoever waits for requests. */
const STATE_WORDS: Readonly<Record<string, string>> = {
  pending: 'not looked at yet',
  probing: 'being looked at',
  probation: 'a small share of the traffic, growing with every clean completion',
  active: 'in traffic',
};

function createTextShow(output: Output): Show {
  const { paint } = output;
  const say = (text: string): void => output.say(`${paint('dim', new Date().toISOString().slice(11, 19))}  ${text}`);
  let last = '';

  function show(event: NodeEvent): void {
    if (event.type === 'welcome') {
      say(
        `${paint('green', 'linked')}; serving as ${toPlainText(event.endpoints.join(', '))}${event.drained ? ', drained: nothing new comes' : ''}`,
      );
    } else if (event.type === 'unlinked') {
      const again = event.againInMs === null ? '' : `; coming again in ${sayMs(event.againInMs)}`;
      say(`${paint('yellow', 'not linked')}: ${toPlainText(event.reason)}${again}`);
    } else if (event.type === 'state') {
      const state = paint(STATE_STYLES[event.state] ?? 'yellow', toPlainText(event.state));
      const why = event.reason === null ? STATE_WORDS[event.state] : toPlainText(event.reason);
      say(`${toPlainText(event.endpoint)}: ${state}${why === undefined ? '' : `, ${why}`}`);
    } else if (event.type === 'drain') {
      say(
        event.on
          ? 'drained by the router: finishing what is under way, nothing new comes'
          : 'the drain is over: the router looks at it, then sends requests again',
      );
    } else if (event.type === 'draining') {
      if (event.streams > 0) say(`draining: finishing ${sayNumberOf(event.streams, 'request')}; Ctrl-C again leaves at once`);
    } else if (event.type === 'engine') {
      say(event.there ? 'the engine is back' : `${paint('red', 'the engine does not answer')}: requests are refused until it is back`);
    } else if (event.type === 'changed') {
      say(sayChange(event));
    }
  }

  function sayChange({ models, version, trouble }: Extract<NodeEvent, { type: 'changed' }>): string {
    if (trouble !== null) return `${paint('red', 'nothing can be served')}: ${toPlainText(trouble)}`;
    return toPlainText(`serving ${models.join(', ')}${version === null ? '' : ` (engine ${version})`}; the router is told`);
  }

  return {
    event: show,
    status(status) {
      const text = sayStatus(status);
      if (text !== last) say(text);
      last = text;
    },
    fact: () => {},
    taken(_name, _fields, { heldPrices }) {
      for (const one of heldPrices) output.say(`  ${sayHeldPrice(one)}`);
    },
    end(reason, cut, status) {
      const unfinished =
        cut === 0 ? '' : `; ${sayNumberOf(cut, 'request')} cut off, which the router resumes elsewhere or ends with an error`;
      say(`${reason === null ? 'left' : 'over'}: ${sayServed(status)}${unfinished}`);
    },
  };
}

/** One line: what is asked, why it is not charged, and what is. */
function sayHeldPrice({ endpoint, charged, held }: HeldPrice): string {
  const meanwhile = charged === null ? '' : `; charged meanwhile: ${sayPrice(charged)}`;
  return toPlainText(`${endpoint} asks ${sayHeld(held)}${meanwhile}`);
}

/** One line: `3 running, 0 waiting, cache 41 % · 128 served, 40,960 tokens`. */
function sayStatus(status: NodeStatus): string {
  return `${status.linked ? '' : 'not linked · '}${status.trouble === null ? '' : `${toPlainText(status.trouble)} · `}${sayLoad(status.load)} · ${sayServed(status)}`;
}

function sayServed({ served, failed, completionTokens }: NodeStatus): string {
  const tokens = completionTokens === 0 ? '' : `, ${sayCount(completionTokens)} tokens`;
  return `${sayCount(served)} served${tokens}${failed === 0 ? '' : `, ${sayCount(failed)} failed`}`;
}

/** Writes a load; one that is not known in words. */
export function sayLoad(load: NodeLoad | null): string {
  if (load === null) return 'load unknown';
  const cache = load.kvUsage === null ? '' : `, cache ${Math.round(load.kvUsage * 100)} %`;
  return `${sayCount(load.running)} running, ${sayCount(load.waiting)} waiting${cache}`;
}
