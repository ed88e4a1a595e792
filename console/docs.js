/** The page on /docs: adds a search and a way to try things to what can be read without scripts. */
import { element, show } from './parts/element.js';
import { rememberKey, recallKey } from './parts/key.js';

/** No outcome shows more characters. */
const SHOWN_MAX = 100_000;

const at = (id) => document.getElementById(id);

/** Shows what needs scripts. */
function reveal() {
  for (const node of document.querySelectorAll('.key[hidden], .search[hidden], .try[hidden]')) node.hidden = false;
}

/** Leaves in the navigation what holds every word. */
function find(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of document.querySelectorAll('nav li')) {
    const link = item.firstElementChild;
    const text = `${link.textContent} ${link.title} ${link.hash}`.toLowerCase();
    item.hidden = !wanted.every((word) => text.includes(word));
  }
  for (const list of document.querySelectorAll('nav ul')) {
    const isEmpty = [...list.children].every((item) => item.hidden);
    list.hidden = isEmpty;
    if (list.previousElementSibling?.tagName === 'H2') list.previousElementSibling.hidden = isEmpty;
  }
}

/** Marks in the navigation what is being read. */
function followReading() {
  const links = new Map([...document.querySelectorAll('nav a')].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver(
    (entries) => {
      const read = entries.find((entry) => entry.isIntersecting);
      if (!read) return;
      for (const [id, link] of links) link.toggleAttribute('aria-current', id === read.target.id);
    },
    { rootMargin: '-10% 0px -80% 0px' },
  );
  for (const id of links.keys()) if (at(id)) watcher.observe(at(id));
}

/** Sends what a form says, and shows the answer as it arrives. */
async function send(form) {
  const outcome = form.querySelector('.outcome');
  const button = form.querySelector('button');
  const body = form.elements.body?.value;
  const key = at('key').value.trim();
  button.disabled = true;
  show(outcome, element('p', {}, 'Sending…'));
  try {
    const response = await fetch(form.elements.path.value, {
      method: form.dataset.method,
      headers: { ...(key && { authorization: `Bearer ${key}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
      body,
      cache: 'no-store',
      credentials: 'omit',
    });
    const kind = response.ok ? 'good' : 'bad';
    const text = element('pre', { tabindex: 0 });
    show(outcome, element('p', { class: kind }, `${response.status} · ${response.headers.get('content-type') ?? 'no body'}`), text);
    await pour(response, text);
  } catch (failure) {
    show(outcome, element('p', { class: 'bad' }, `The request did not get through: ${failure.message}`));
  } finally {
    button.disabled = false;
  }
}

async function pour(response, node) {
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('audio/')) return show(node, `${(await response.arrayBuffer()).byteLength} bytes of audio`);
  if (type.includes('json')) return show(node, tidy(await response.text()).slice(0, SHOWN_MAX));
  let text = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text = (text + piece).slice(0, SHOWN_MAX);
    show(node, text);
  }
}

function tidy(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

reveal();
followReading();
at('key').value = recallKey();
at('key').addEventListener('change', () => rememberKey(at('key').value.trim()));
at('search').addEventListener('input', () => find(at('search').value));
for (const form of document.querySelectorAll('.try form')) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(form);
  });
}
