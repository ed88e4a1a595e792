/** The dialog of the page: asks before something is done, and shows what is shown once. */
import { errorCard } from './answer.js';
import { element, show } from './element.js';
import { button } from './fill.js';

/**
 * Asks in a dialog. It closes when `act` has succeeded, shows why when it fails, and stays where `act` gives nodes to read first.
 * Calls `onClose` once, whether or not anything was done.
 * @param {HTMLDialogElement} dialog
 * @param {{ title: string, body: (Node | null)[], verb: string, act(fields: FormData): Promise<Node[] | null>, onClose?(): void }} question
 */
export function ask(dialog, { title, body, verb, act, onClose = () => {} }) {
  const heading = element('h2', { id: 'dialog-title' }, title);
  const problem = element('div', { role: 'alert' });
  const submit = element('button', { type: 'submit', class: 'primary' }, verb);
  const cancel = button('Cancel', () => dialog.close());
  const form = element('form', {}, ...body, problem, element('div', { class: 'actions' }, submit, cancel));
  let isShownOnce = false;

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    submit.disabled = cancel.disabled = true;
    show(problem);
    try {
      const result = await act(new FormData(form));
      if (result === null) return dialog.close();
      isShownOnce = true;
      const done = button('Done', () => dialog.close(), { kind: 'primary' });
      show(dialog, heading, ...result, element('div', { class: 'actions' }, done));
      // Whoever forced it to close meanwhile must still see it.
      if (!dialog.open) dialog.showModal();
      done.focus();
    } catch (failure) {
      show(problem, errorCard(failure), !failure.status && element('p', {}, 'It is not known whether it was done; the list will show.'));
    } finally {
      submit.disabled = cancel.disabled = false;
    }
  });
  // One press of Escape must not throw away what cannot be shown again.
  dialog.oncancel = (event) => {
    if (isShownOnce || submit.disabled) event.preventDefault();
  };
  dialog.onclose = () => {
    show(dialog);
    onClose();
  };
  show(dialog, heading, form);
  dialog.showModal();
}

/** Shows a key that cannot be shown again, with a button that copies it. */
export function tokenBox(token) {
  const code = element('code', { tabindex: 0 }, token);
  const copied = element('span', { class: 'note', role: 'status' });
  const copy = button('Copy', async () => {
    try {
      await navigator.clipboard.writeText(token);
      show(copied, 'Copied.');
    } catch {
      // Browsers forbid the clipboard to pages that did not come over TLS.
      getSelection().selectAllChildren(code);
      show(copied, 'Selected: copy it from the keyboard.');
    }
  });
  return element('p', { class: 'token' }, code, copy, copied);
}
