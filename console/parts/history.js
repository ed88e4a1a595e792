/** What this tab has asked: in memory, gone when it closes. */
import { element, show } from './element.js';
import { formatUsd, shortId } from './format.js';

const ENTRIES_MAX = 50;

/** Opens a history in a node. `onChoose` gets the generation id of a clicked entry. */
export function openHistory(node, onChoose) {
  let entries = [];
  return {
    /** Adds a receipt, newest first; the oldest leaves when there are too many. */
    add(receipt) {
      entries = [receipt, ...entries.filter(({ id }) => id !== receipt.id)].slice(0, ENTRIES_MAX);
      show(node, ...entries.map((entry) => toItem(entry, onChoose)));
    },
  };
}

function toItem({ id, model, headrace }, onChoose) {
  const button = element(
    'button',
    { type: 'button', class: 'entry', 'data-state': headrace.state },
    element('code', {}, shortId(id)),
    element('span', {}, model),
    element('b', {}, headrace.endpoint ?? headrace.state),
    element('span', { class: 'number' }, formatUsd(headrace.charged)),
  );
  button.addEventListener('click', () => onChoose(id));
  return element('li', {}, button);
}
