import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeNode, fakeDocument, loadPart } from './fake-document.ts';

/** A dialog that tells its page when it has closed. */
class FakeDialog extends FakeNode {
  open = false;
  oncancel: (event: { preventDefault(): void }) => void = () => {};
  onclose: () => void = () => {};
  showModal(): void {
    this.open = true;
  }
  close(): void {
    this.open = false;
    this.onclose();
  }
  /** Presses Escape. */
  escape(): void {
    const preventDefault = vi.fn();
    this.oncancel({ preventDefault });
    if (preventDefault.mock.calls.length === 0) this.close();
  }
  get form(): FakeNode {
    return this.nodes.find(({ tag }) => tag === 'form') as FakeNode;
  }
}

let dialog: FakeDialog;
beforeEach(() => {
  fakeDocument();
  vi.stubGlobal('FormData', class {});
  dialog = new FakeDialog('dialog');
});

async function ask(act: () => Promise<FakeNode[] | null>) {
  const onClose = vi.fn();
  (await loadPart('dialog'))['ask']?.(dialog as never, { title: 'Rotate ci?', body: [], verb: 'Rotate', act, onClose } as never);
  return onClose;
}

describe('a question', () => {
  it('does nothing until it is confirmed, and nothing at all when it is left', async () => {
    const act = vi.fn(async () => null);
    const onClose = await ask(act);
    expect([dialog.open, dialog.text]).toEqual([true, 'Rotate ci?RotateCancel']);
    await dialog.button('Cancel').fire('click');
    expect([dialog.open, act.mock.calls.length, onClose.mock.calls.length]).toEqual([false, 0, 1]);
  });

  it('closes when what it asked for is done', async () => {
    const onClose = await ask(async () => null);
    await dialog.form.fire('submit');
    expect([dialog.open, dialog.text, onClose.mock.calls.length]).toEqual([false, '', 1]);
  });

  it('stays with the reason when it fails, and says when nobody knows whether it was done', async () => {
    const failure = Object.assign(new Error('no such policy'), { status: 400 });
    const act = vi.fn<() => Promise<null>>().mockRejectedValueOnce(failure).mockRejectedValueOnce(new Error('timed out'));
    await ask(act);
    await dialog.form.fire('submit');
    expect(dialog.text).toContain('no such policy');
    expect(dialog.text).not.toContain('not known');
    await dialog.form.fire('submit');
    expect(dialog.text).toContain('timed out');
    expect(dialog.text).toContain('It is not known whether it was done');
    expect(dialog.open).toBe(true);
  });

  it('cannot be sent twice or left while it is under way', async () => {
    let finish: (result: null) => void = () => {};
    await ask(() => new Promise((resolve) => (finish = resolve)));
    const sent = dialog.form.fire('submit');
    expect([dialog.button('Rotate').disabled, dialog.button('Cancel').disabled]).toEqual([true, true]);
    dialog.escape();
    expect(dialog.open).toBe(true);
    finish(null);
    await sent;
    expect(dialog.open).toBe(false);
  });
});

describe('a key that is shown once', () => {
  const TOKEN = 'sk-hr-shown-once';
  async function showToken() {
    const { tokenBox } = await loadPart('dialog');
    const onClose = await ask(async () => [tokenBox?.(TOKEN as never) as FakeNode]);
    await dialog.form.fire('submit');
    return onClose;
  }

  it('stays when Escape is pressed, and leaves the page with Done', async () => {
    const onClose = await showToken();
    dialog.escape();
    expect([dialog.open, dialog.text.includes(TOKEN), onClose.mock.calls.length]).toEqual([true, true, 0]);
    await dialog.button('Done').fire('click');
    expect([dialog.open, dialog.text, onClose.mock.calls.length]).toEqual([false, '', 1]);
  });

  it('is shown also when the dialog was forced to close before the answer came', async () => {
    const { tokenBox } = await loadPart('dialog');
    let finish: (result: FakeNode[]) => void = () => {};
    await ask(() => new Promise((resolve) => (finish = resolve)));
    const sent = dialog.form.fire('submit');
    dialog.close();
    finish([tokenBox?.(TOKEN as never) as FakeNode]);
    await sent;
    expect([dialog.open, dialog.text.includes(TOKEN)]).toEqual([true, true]);
  });

  it('is copied, or selected where the browser forbids copying', async () => {
    await showToken();
    const writeText = vi.fn(async () => {});
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    await dialog.button('Copy').fire('click');
    expect(writeText).toHaveBeenCalledWith(TOKEN);
    expect(dialog.text).toContain('Copied.');
    vi.stubGlobal('navigator', {});
    const selectAllChildren = vi.fn();
    vi.stubGlobal('getSelection', () => ({ selectAllChildren }));
    await dialog.button('Copy').fire('click');
    expect(selectAllChildren).toHaveBeenCalledOnce();
    expect(dialog.text).toContain('Selected');
  });
});
