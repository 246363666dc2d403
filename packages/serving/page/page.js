/** The page to try a server: everything it does is a call of the public HTTP interface. */

const at = (id) => document.getElementById(id);
const state = { user: '', by: 'encoder', examples: [], picked: undefined, asking: undefined };

/** An element with a class and what is in it; texts go in as texts, never as HTML. */
function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** A request; throws an Error with the server's message. */
async function request(method, path, body, signal) {
  const key = at('key').value;
  const response = await fetch(path, {
    method,
    signal,
    headers: { ...(body && { 'content-type': 'application/json' }), ...(key && { authorization: `Bearer ${key}` }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (response.ok) return response;
  if (response.status === 401) at('key-field').hidden = false;
  const { error } = await response.json().catch(() => ({ error: { message: `HTTP ${response.status}` } }));
  throw Object.assign(new Error(error.message), { code: error.code, status: response.status });
}

const call = async (...given) => (await request(...given)).json();
const userPath = (more = '') => `/v1/users/${encodeURIComponent(state.user)}${more}`;

function note(id, text, bad = false) {
  at(id).textContent = text;
  at(id).classList.toggle('bad', bad);
}

async function showUser(fresh = 0) {
  at('history').replaceChildren();
  try {
    const user = await call('GET', userPath('?limit=200'));
    note('user-note', `${user.events} events; newest first`);
    at('history').append(...user.history.reverse().map((event, index) => historyLine(event, index < fresh)));
    at('history').scrollTop = 0;
    await showRecommendations();
  } catch (error) {
    const unknown = error.code === 'user_not_found';
    note('user-note', unknown ? 'No history. Add something below, and this user is there.' : error.message, !unknown);
    at('recommendations').replaceChildren();
    note('recommend-note', '');
  }
}

function historyLine({ item, title, categories, rating, time }, fresh) {
  const when = time > 0 ? new Date(time).toISOString().slice(0, 10) : '';
  const small = element('small', '', [when, categories.join(', ')].filter(Boolean).join(' · '));
  const line = element(
    'li',
    fresh ? 'fresh' : '',
    element('div', '', title ?? `item ${item}`, document.createElement('br'), small),
  );
  if (typeof rating === 'number') line.append(element('span', 'star', `★ ${rating}`));
  return line;
}

async function showRecommendations() {
  const { user, by } = state;
  note('recommend-note', 'ranking ...');
  try {
    const before = performance.now();
    const { data } = await call('GET', userPath(`/recommendations?k=20&by=${by}`));
    if (user !== state.user || by !== state.by) return;
    note(
      'recommend-note',
      `of all titles not in the history, by the ${by === 'llm' ? 'LLM' : by}; ${Math.round(performance.now() - before)} ms`,
    );
    at('recommendations').replaceChildren(
      ...data.map(({ rank, item, title, score }) =>
        element(
          'li',
          '',
          element('span', 'rank', String(rank)),
          element('span', '', title ?? `item ${item}`),
          element('small', 'score', score.toFixed(2)),
        ),
      ),
    );
  } catch (error) {
    at('recommendations').replaceChildren();
    note('recommend-note', error.message, true);
  }
}

/** Asks, and shows the answer token by token as it comes. */
async function ask(question) {
  state.asking?.abort();
  const abort = (state.asking = new AbortController());
  const said = element('div', 'said');
  const facts = element('small');
  const turn = element('div', 'turn live', element('div', 'asked', question), said, facts);
  at('talk').append(turn);
  at('talk').scrollTop = at('talk').scrollHeight;
  const begin = performance.now();
  const about = {};
  try {
    const response = await request(
      'POST',
      '/v1/chat/completions',
      {
        ...(state.user && { user: state.user }),
        messages: [{ role: 'user', content: question }],
        stream: true,
        stream_options: { include_usage: true },
      },
      abort.signal,
    );
    about.events = Number(response.headers.get('x-user-llm-events'));
    about.cached = response.headers.get('x-user-llm-context') === 'hit';
    for await (const chunk of chunks(response.body)) {
      if (chunk.error) throw new Error(chunk.error.message);
      const text = chunk.choices[0]?.delta.content;
      if (text) {
        about.first ??= performance.now() - begin;
        said.append(text);
        at('talk').scrollTop = at('talk').scrollHeight;
      }
      if (chunk.usage) about.usage = chunk.usage;
    }
    facts.textContent = [
      `${about.events} events in ${about.cached ? 'a cached' : 'a new'} context`,
      about.first !== undefined && `first token after ${Math.round(about.first)} ms`,
      about.usage && `${about.usage.completion_tokens} tokens in ${Math.round(performance.now() - begin)} ms`,
      about.usage && `prompt of ${about.usage.prompt_tokens} tokens`,
    ]
      .filter(Boolean)
      .join(' · ');
  } catch (error) {
    facts.textContent = abort.signal.aborted ? 'stopped' : error.message;
    facts.classList.toggle('bad', !abort.signal.aborted);
  } finally {
    turn.classList.remove('live');
    at('talk').scrollTop = at('talk').scrollHeight;
    if (state.asking === abort) state.asking = undefined;
  }
}

/** The JSON of each server-sent event, up to `[DONE]`. */
async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (kept + value).split('\n\n');
    kept = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, '');
      if (data === '[DONE]') return;
      yield JSON.parse(data);
    }
  }
}

let searches = 0;
async function search() {
  const query = at('title').value.trim();
  const mine = ++searches;
  pick(undefined);
  if (query === '') return;
  const { data } = await call('GET', `/v1/items?limit=12&query=${encodeURIComponent(query)}`);
  if (mine !== searches) return;
  at('found').replaceChildren(
    ...data.map((item) => {
      const button = element('button', '', item.title);
      button.type = 'button';
      button.addEventListener('click', () => pick(item));
      return element('li', '', button);
    }),
  );
  at('found').hidden = data.length === 0;
}

function pick(item) {
  state.picked = item;
  if (item) at('title').value = item.title;
  at('found').hidden = true;
  at('add').disabled = item === undefined;
}

async function addEvent() {
  const rating = at('rating').value;
  const event = { item: state.picked.item, ...(rating && { rating: Number(rating) }) };
  try {
    await call('POST', userPath('/events'), { events: [event], restore: true });
    at('title').value = '';
    pick(undefined);
    await showUser(1);
  } catch (error) {
    note('user-note', error.message, true);
  }
}

async function deleteUser() {
  if (!confirm('Delete the history, the embeddings and the cache of this user?')) return;
  await call('DELETE', userPath());
  await showUser();
}

function choose(user) {
  state.user = user;
  at('user').value = user;
  at('talk').replaceChildren();
  return showUser();
}

function submitted(id, then) {
  at(id).addEventListener('submit', (event) => {
    event.preventDefault();
    void then();
  });
}

function showRankers(names) {
  state.by = names[0];
  at('by').replaceChildren(
    ...names.map((name) => {
      const button = element('button', '', name === 'llm' ? 'LLM' : name);
      button.setAttribute('aria-pressed', String(name === state.by));
      button.addEventListener('click', () => {
        state.by = name;
        for (const other of at('by').children) other.setAttribute('aria-pressed', String(other === button));
        void showRecommendations();
      });
      return button;
    }),
  );
}

async function start() {
  try {
    const examples = await call('GET', '/v1/examples');
    state.examples = examples.users;
    at('model').textContent = examples.model;
    at('users').replaceChildren(...examples.users.map((user) => new Option(user)));
    at('another').hidden = examples.users.length < 2;
    at('questions').replaceChildren(
      ...examples.questions.map((question) => {
        const button = element('button', '', question);
        button.addEventListener('click', () => void ask(question));
        return button;
      }),
    );
    showRankers(examples.recommends_by);
    at('health').textContent = 'ready';
    at('health').className = 'pill ok';
    const wanted = new URLSearchParams(location.search).get('user') ?? examples.users[0];
    if (wanted) await choose(wanted);
    else note('user-note', 'Type any id, then add to its history.');
  } catch (error) {
    at('health').textContent = error.message;
    at('health').className = 'pill bad';
  }
}

submitted('user-form', () => choose(at('user').value.trim()));
submitted('ask-form', async () => {
  const question = at('question').value.trim();
  at('question').value = '';
  await ask(question);
});
submitted('event-form', () => state.picked && addEvent());
at('title').addEventListener('input', () => void search().catch(() => pick(undefined)));
at('delete').addEventListener(
  'click',
  () => void deleteUser().catch((error) => note('user-note', error.message, true)),
);
at('another').addEventListener('click', () => {
  const others = state.examples.filter((user) => user !== state.user);
  void choose(others[Math.floor(Math.random() * others.length)]);
});
at('key').addEventListener('change', () => void start());
void start();
