/** The page on /teams, for holders of management keys: wires teams, their keys, their usage and the audit trail to the API. */
import { ask, tokenBox } from './parts/dialog.js';
import { element, show } from './parts/element.js';
import { button, fill, openPages } from './parts/fill.js';
import { formatInstant } from './parts/format.js';
import { MANAGEMENT_KEY_ITEM, recallKey, rememberKey } from './parts/key.js';
import { keyFields, overlapField, toKeyWish } from './parts/key-wish.js';
import { createKey, describeKey, findTeam, listChanges, listKeys, listTeams, rotateKey, sumUsage, switchKey } from './parts/manage.js';
import { teamRow } from './parts/team.js';
import { keyList } from './parts/team-keys.js';
import { changeList } from './parts/trail.js';
import { openUsage } from './parts/usage.js';

const at = (id) => document.getElementById(id);
const dialog = at('dialog');
const SAID_MS = 8_000;
/** Loads everything again that is open; does nothing before there is a key. */
let refresh = () => {};
let loadTrail = () => {};

let silence;
/** Says what was done, for a while. */
function say(sentence) {
  at('said').textContent = sentence;
  clearTimeout(silence);
  silence = setTimeout(() => (at('said').textContent = ''), SAID_MS);
}

const welcome = () =>
  element(
    'ol',
    { class: 'steps' },
    element(
      'li',
      {},
      element('b', {}, 'Paste a management key'),
      ' (sk-hr-mgmt-…) into the field above: the one that ',
      element('code', {}, 'npm start'),
      ' has printed, or one of ',
      element('code', {}, 'management_keys'),
      ' in headrace.yaml.',
    ),
    element('li', {}, element('b', {}, 'Open a team'), ' to see its keys and its usage, to make a key, or to take one out of service.'),
    element('li', {}, element('b', {}, 'It stays in this tab'), ' and is gone when the tab closes. Empty the field to forget it at once.'),
  );

const notForManaging = () =>
  element(
    'div',
    { class: 'error' },
    element('h3', {}, 'This is an inference key'),
    element('p', {}, 'It asks models and cannot see teams. Paste a management key: it begins with sk-hr-mgmt-.'),
    element('p', {}, 'To ask with this key, go to the ', element('a', { href: '/' }, 'console'), '.'),
  );

/** Shows what the key in the field may see. Nothing of the key before stays on the page. */
function enter() {
  const key = at('key').value.trim();
  const body = at('teams-body');
  at('scope').textContent = '';
  at('refresh').hidden = at('trail').hidden = true;
  show(body);
  show(at('trail-body'));
  refresh = loadTrail = () => {};
  void fill(
    body,
    async () => (key === '' ? null : describeKey(key)),
    (holder) => [holder === null ? welcome() : holder.is_management_key ? manage(key, holder.headrace.team) : notForManaging()],
  );
}

/** Opens the teams and the trail. `scope` is the only team that the key manages, null for the whole deployment. */
function manage(key, scope) {
  const list = element('div');
  const trail = element('div');
  let items = new Map();
  const loadTeams = openPages(list, {
    start: 0,
    read: (offset) => listTeams(key, offset),
    draw: (teams) => {
      if (teams.length === 0) return [noTeams()];
      // Teams that stay keep their nodes: a refresh closes nothing.
      items = new Map(teams.map((team) => [team.id, items.get(team.id) ?? teamItem(key, team.id)]));
      return [element('ul', { class: 'teams' }, ...teams.map((team) => items.get(team.id).update(team)))];
    },
  });
  loadTrail = openPages(trail, { start: null, read: (cursor) => listChanges(key, cursor), draw: (changes) => [changeList(changes)] });
  refresh = () => {
    void loadTeams();
    loadTrail();
  };
  at('scope').textContent = scope === null ? 'of the whole deployment' : `only ${scope}: the key manages this team`;
  at('refresh').hidden = at('trail').hidden = false;
  show(at('trail-body'), trail);
  refresh();
  return list;
}

const noTeams = () => element('p', { class: 'empty' }, 'No teams yet. They are written under teams in headrace.yaml, then applied.');

/** Makes the item of a team, which opens to its keys and usage. `update` shows how the team stands, and returns the item's node. */
function teamItem(key, id) {
  const row = element('span');
  const inside = element('div', { class: 'inside' });
  const details = element('details', { class: 'team' }, element('summary', {}, row), inside);
  const node = element('li', {}, details);
  let load = null;

  function update(team) {
    show(row, teamRow(team, Date.now()));
    if (details.open) load?.();
    return node;
  }
  async function renew() {
    // What is known stays where it cannot be asked.
    const team = await findTeam(key, id).catch(() => null);
    if (team) show(row, teamRow(team, Date.now()));
  }
  details.addEventListener('toggle', () => {
    if (!details.open) return;
    load ??= openTeam(key, id, inside, renew);
    load();
  });
  return { update };
}

/** Builds what a team opens to. Returns how to load it. */
function openTeam(key, team, inside, renew) {
  const keysNode = element('div');
  const usageNode = element('div');
  const loadKeys = openPages(keysNode, {
    start: 0,
    read: (offset) => listKeys(key, team, offset),
    draw: (keys) => [keyList(keys, { onEnable, onDisable, onRotate }, Date.now())],
  });
  const loadUsage = openUsage(usageNode, { read: (by, since) => sumUsage(key, { team, by, since }), now: () => Date.now() });
  const settle = () => {
    void loadKeys();
    void renew();
    loadTrail();
  };

  function onCreate() {
    ask(dialog, {
      title: `A new key of ${team}`,
      verb: 'Make the key',
      body: keyFields(),
      onClose: settle,
      act: async (fields) => {
        const made = await createKey(key, toKeyWish(fields, team));
        return [
          element('p', {}, element('b', {}, made.data.name), ' can ask now. Copy the key: it is shown this once and kept nowhere.'),
          tokenBox(made.key),
        ];
      },
    });
  }

  function onRotate({ name, hash }) {
    ask(dialog, {
      title: `Rotate ${name}?`,
      verb: 'Rotate',
      body: [element('p', {}, 'The key gets a new value, shown once. Its limits, its spending and its name stay.'), overlapField()],
      onClose: settle,
      act: async (fields) => {
        const made = await rotateKey(key, hash, Number(fields.get('overlap')));
        const until = formatInstant(made.replaces.works_until);
        return [
          element('p', {}, 'Copy the new value of ', element('b', {}, name), `: it is shown this once. The old one works until ${until}.`),
          tokenBox(made.key),
        ];
      },
    });
  }

  function onDisable({ name, hash }) {
    ask(dialog, {
      title: `Disable ${name}?`,
      verb: 'Disable',
      body: [element('p', {}, 'Within a minute it is refused everywhere. It can be enabled again.')],
      onClose: settle,
      act: async () => {
        await switchKey(key, hash, true);
        say(`${name} is disabled.`);
        return null;
      },
    });
  }

  async function onEnable({ name, hash }) {
    try {
      await switchKey(key, hash, false);
      say(`${name} is enabled.`);
    } catch (failure) {
      say(`${name} was not enabled: ${failure.message}`);
    }
    settle();
  }

  show(
    inside,
    element('div', { class: 'head' }, element('h3', {}, 'Keys'), button('Make a key', onCreate, { label: `Make a key of ${team}` })),
    keysNode,
    element('h3', {}, 'Usage', element('span', { class: 'note' }, 'by UTC day and by model')),
    usageNode,
  );
  return () => {
    void loadKeys();
    void loadUsage();
  };
}

at('key').value = recallKey(MANAGEMENT_KEY_ITEM);
at('key').addEventListener('change', () => {
  rememberKey(at('key').value.trim(), MANAGEMENT_KEY_ITEM);
  enter();
});
at('refresh').addEventListener('click', () => refresh());
enter();
