/** The console: wires the form to the API and the panels. */
import { ApiError, ask, explain, findReceipt, listEndpoints, listModels } from './parts/api.js';
import { errorCard, openAnswer } from './parts/answer.js';
import { element, show } from './parts/element.js';
import { openHistory } from './parts/history.js';
import { recallKey, rememberKey } from './parts/key.js';
import { showPlan, showReceipt } from './parts/receipt.js';
import { readRoute, toChatBody } from './parts/request.js';
import { showRoute } from './parts/route.js';
import { showSupply } from './parts/supply.js';

const at = (id) => document.getElementById(id);
const form = at('composer');
const history = openHistory(at('history'), (id) => void reopen(id));
let running = null;
/** Newest choice of a model: a slow list of an older one is dropped. */
let listing = 0;

const readKey = () => at('key').value.trim();

function readBody() {
  const fields = new FormData(form);
  return toChatBody({
    model: fields.get('model') ?? '',
    prompt: fields.get('prompt'),
    stream: fields.has('stream'),
    optimize: fields.get('optimize'),
    supplyOnly: fields.getAll('supply'),
    minTier: fields.get('tier'),
  });
}

/** Reveals a panel that has something to show. */
function reveal(id, title) {
  at(id).hidden = false;
  if (title) at(`${id}-title`).textContent = title;
}

function setRunning(controller) {
  running = controller;
  at('ask').textContent = controller ? 'Stop' : 'Ask';
  at('ask').classList.toggle('stop', controller !== null);
  at('explain').disabled = controller !== null;
  at('answer').setAttribute('aria-busy', String(controller !== null));
}

/** Answers whether there is a key; points at its field when not. */
function hasKey() {
  if (readKey() !== '') return true;
  at('key').focus();
  show(at('answer'), errorCard({ message: 'Paste the key that npm start has printed into the field above.', body: null, status: 0 }));
  return false;
}

async function submit() {
  if (running) return running.abort();
  if (!hasKey()) return;
  const controller = new AbortController();
  setRunning(controller);
  const key = readKey();
  const body = readBody();
  const answer = openAnswer(at('answer'));
  const facts = { route: {}, ttftMs: null, usage: null, receipt: null, simulated: false };
  const startedAtMs = performance.now();
  reveal('route', 'Route');
  show(at('route-body'), element('p', { class: 'empty' }, 'Waiting for the first token…'));
  at('receipt').hidden = true;
  try {
    await ask(body, {
      key,
      signal: controller.signal,
      onHeaders(headers) {
        facts.route = readRoute(headers);
        showRoute(at('route-body'), facts);
      },
      onChunk(chunk) {
        answer.write(chunk);
        const isFirst = facts.ttftMs === null && body.stream && chunk.choices?.[0]?.delta?.content;
        if (isFirst) facts.ttftMs = performance.now() - startedAtMs;
        if (chunk.devnet?.simulated) facts.simulated = true;
        if (chunk.usage) facts.usage = chunk.usage;
        if (isFirst || chunk.usage) showRoute(at('route-body'), facts);
      },
    });
  } catch (failure) {
    if (controller.signal.aborted) at('answer').append(element('p', { class: 'empty' }, 'Stopped. The upstream was cancelled.'));
    else at('answer').append(errorCard(failure));
    if (failure.headers) facts.route = readRoute(failure.headers);
    if (!facts.route.id) await showRefusal(failure, body, key);
  } finally {
    setRunning(null);
  }
  if (facts.route.id) await settle(facts, key);
}

/** Shows the plan of a request that was refused before it had a receipt: it says why nothing fits. */
async function showRefusal(failure, body, key) {
  at('route').hidden = true;
  const isNoSupply = failure instanceof ApiError && [404, 503].includes(failure.status);
  if (isNoSupply) await showExplanation(body, key).catch(() => {});
}

async function settle(facts, key) {
  try {
    facts.receipt = await findReceipt(facts.route.id, key);
    showRoute(at('route-body'), facts);
    reveal('receipt', 'Receipt');
    showReceipt(at('receipt-body'), facts.receipt);
    at('history-empty').hidden = true;
    history.add(facts.receipt);
    await loadSupply();
  } catch (failure) {
    reveal('receipt', 'Receipt');
    show(at('receipt-body'), errorCard(failure));
  }
}

async function reopen(id) {
  try {
    const receipt = await findReceipt(id, readKey());
    reveal('receipt', 'Receipt');
    showReceipt(at('receipt-body'), receipt);
  } catch (failure) {
    reveal('receipt', 'Receipt');
    show(at('receipt-body'), errorCard(failure));
  }
  at('receipt').scrollIntoView({ block: 'start' });
}

async function showExplanation(body, key) {
  const plan = await explain(body, key);
  reveal('receipt', 'Plan, nothing was sent');
  showPlan(at('receipt-body'), plan);
}

async function explainOnly() {
  if (!hasKey() || !form.reportValidity()) return;
  try {
    await showExplanation(readBody(), readKey());
    at('receipt').scrollIntoView({ block: 'nearest' });
  } catch (failure) {
    show(at('answer'), errorCard(failure));
  }
}

/** Puts models with an endpoint first, the most kinds of supply before others. */
function byLiveliness(a, b) {
  const live = ({ headrace }) => (headrace.endpoints > 0 ? headrace.supply.length * 1000 + headrace.endpoints : 0);
  return live(b) - live(a) || a.id.localeCompare(b.id);
}

async function loadModels() {
  const select = at('model');
  const chosen = select.value;
  try {
    const models = (await listModels(readKey())).sort(byLiveliness);
    const toOption = ({ id, headrace }) => element('option', { value: id, selected: id === chosen }, `${id} (${headrace.endpoints})`);
    show(select, ...models.map(toOption));
    at('key-note').textContent = '';
  } catch (failure) {
    at('key-note').textContent = failure.message;
  }
  await loadSupply();
}

async function loadSupply() {
  const { value: model } = at('model');
  if (model === '') return;
  const turn = ++listing;
  const node = at('supply-body');
  try {
    const endpoints = await listEndpoints(model, readKey());
    if (turn !== listing) return;
    at('supply-note').textContent = model;
    showSupply(node, endpoints);
  } catch (failure) {
    if (turn === listing) show(node, errorCard(failure));
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void submit();
});
form.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || running) return;
  event.preventDefault();
  form.requestSubmit();
});
at('explain').addEventListener('click', () => void explainOnly());
at('model').addEventListener('change', () => void loadSupply());
at('key').addEventListener('change', () => {
  rememberKey(readKey());
  void loadModels();
});

at('key').value = recallKey();
void loadModels();
