/** Fills nodes with what is fetched: while it loads, when it has come, when it fails; a page at a time where there is more. */
import { errorCard } from './answer.js';
import { element, show } from './element.js';

/** Newest load of each node: slow answers to older ones are dropped. */
const loads = new WeakMap();

/**
 * Shows in a node what `draw` makes of an answer. What was there before stays until then. A failure is shown with a way to try again.
 * @param {Element} node
 * @param {() => Promise<unknown>} read
 * @param {(answer: any) => (Node | null | false)[]} draw
 */
export async function fill(node, read, draw) {
  const load = (loads.get(node) ?? 0) + 1;
  const isNewest = () => loads.get(node) === load;
  loads.set(node, load);
  node.setAttribute('aria-busy', 'true');
  if (!node.hasChildNodes()) show(node, element('p', { class: 'empty' }, 'Loading…'));
  try {
    const answer = await read();
    if (isNewest()) keepingFocus(node, () => show(node, ...draw(answer)));
  } catch (failure) {
    const again = () => void fill(node, read, draw);
    if (isNewest()) show(node, errorCard(failure), element('p', { class: 'actions' }, button('Try again', again)));
  } finally {
    if (isNewest()) node.removeAttribute('aria-busy');
  }
}

/** Redraws a node; what has replaced the focused button has the focus then. */
function keepingFocus(node, redraw) {
  const focused = document.activeElement;
  const hadFocus = node.contains(focused);
  redraw();
  if (!hadFocus || node.contains(document.activeElement)) return;
  const sameLabel = (candidate) => labelOf(candidate) === labelOf(focused);
  const heir = [...node.querySelectorAll('button')].find(sameLabel);
  if (!heir) node.setAttribute('tabindex', '-1');
  (heir ?? node).focus();
}

function labelOf(node) {
  return node.getAttribute('aria-label') ?? node.textContent;
}

/** Builds a button that does one thing. `label` says more than its text to those who do not see where it stands. */
export function button(text, act, { label = null, kind = null } = {}) {
  const node = element('button', { type: 'button', class: kind, 'aria-label': label }, text);
  node.addEventListener('click', act);
  return node;
}

/**
 * Opens a list that shows one page at a time, with buttons to turn it. Returns how to load the page that is open.
 * @param {Element} node
 * @param {{ start: unknown, read(from: unknown): Promise<{ items: object[], next: unknown }>, draw(items: object[]): (Node | null | false)[] }} list
 *   `next` is where the following page begins, null at the end.
 */
export function openPages(node, { start, read, draw }) {
  const starts = [start];
  const load = () =>
    fill(
      node,
      () => read(starts.at(-1)),
      ({ items, next }) => [...draw(items), turner(next)],
    );
  const turner = (next) => {
    const back = button('Back', () => void (starts.pop(), load()));
    const on = button('Next', () => void (starts.push(next), load()));
    back.disabled = starts.length === 1;
    on.disabled = next === null;
    return (starts.length > 1 || next !== null) && element('p', { class: 'actions' }, back, on, `Page ${starts.length}`);
  };
  return load;
}
