/** As much of a document as the console's parts use. Strings become text nodes; there is no way to parse markup. */
import { vi } from 'vitest';

export class FakeNode {
  readonly children: (FakeNode | string)[] = [];
  readonly attributes = new Map<string, string>();
  readonly properties = new Map<string, unknown>();
  readonly listeners = new Map<string, (event: unknown) => unknown>();
  readonly style = { setProperty: (name: string, value: unknown): void => void this.properties.set(name, value) };
  readonly tag: string;
  disabled = false;
  value = '';

  constructor(tag: string) {
    this.tag = tag;
  }
  append(...nodes: (FakeNode | string)[]): void {
    this.children.push(...nodes);
  }
  replaceChildren(...nodes: (FakeNode | string)[]): void {
    this.children.splice(0, this.children.length, ...nodes);
  }
  hasChildNodes(): boolean {
    return this.children.length > 0;
  }
  contains(): boolean {
    return false;
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }
  addEventListener(name: string, listener: (event: unknown) => unknown): void {
    this.listeners.set(name, listener);
  }
  focus(): void {}

  /** Does what a person does; the disabled do nothing. Resolves when the page has finished with it. */
  async fire(name: string): Promise<void> {
    if (!this.disabled) await this.listeners.get(name)?.({ preventDefault: () => {} });
  }
  get nodes(): FakeNode[] {
    return this.children.flatMap((child) => (typeof child === 'string' ? [] : [child, ...child.nodes]));
  }
  get tags(): string[] {
    return this.nodes.map(({ tag }) => tag);
  }
  get text(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.text)).join('');
  }
  /** The text with a space between nodes. */
  get words(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.words)).join(' ');
  }
  ofClass(name: string): FakeNode[] {
    return this.nodes.filter(({ attributes }) => attributes.get('class') === name);
  }
  /** Finds the button that says so. */
  button(text: string): FakeNode {
    const found = this.nodes.find((node) => node.tag === 'button' && node.text === text);
    if (!found) throw new Error(`no button says ${text}`);
    return found;
  }
}

/** Puts an empty document in place of the one that Node does not have. */
export function fakeDocument(): void {
  vi.stubGlobal('document', {
    activeElement: null,
    createElement: (tag: string) => new FakeNode(tag),
    createElementNS: (_namespace: string, tag: string) => new FakeNode(tag),
    createTextNode: (text: string) => text,
  });
}

/** Loads a part of the console as the browser gets it: plain JavaScript. */
export function loadPart(name: string): Promise<Record<string, (...values: never[]) => unknown>> {
  return import(new URL(`../../console/parts/${name}.js`, import.meta.url).href);
}
