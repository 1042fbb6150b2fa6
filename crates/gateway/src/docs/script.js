// Draws openapi.json as a page. No library, no other host; every text is set as text, never as markup.
'use strict';

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];
const ERRORS = '/api/v1/docs/errors#';

/** Makes an element: `make('p.quiet', 'text', child, …)`. */
function make(what, ...children) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function link(href, ...children) {
  const element = make('a', ...children);
  element.href = href;
  return element;
}

/** Text with `code` between backticks, blank lines between paragraphs. */
function prose(text) {
  return (text || '').split(/\n\s*\n/).filter((part) => part.trim()).map((part) => {
    const pieces = part.split('`').map((piece, index) => (index % 2 ? make('code', piece) : piece));
    return make('p', ...pieces);
  });
}

class Page {
  constructor(api) {
    this.api = api;
  }

  resolve(schema) {
    const name = schema && schema.$ref && schema.$ref.split('/').pop();
    return name ? this.api.components.schemas[name] || {} : schema || {};
  }

  /** What a schema is, in a few words. */
  typeOf(schema) {
    if (!schema) return '';
    if (schema.$ref) return schema.$ref.split('/').pop();
    const choice = schema.oneOf || schema.anyOf;
    if (choice) return choice.map((one) => this.typeOf(one)).join(' | ');
    if (schema.allOf) return 'object';
    if (schema.type === 'array') return `array of ${this.typeOf(schema.items)}`;
    if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
    const type = Array.isArray(schema.type) ? schema.type.join(' | ') : schema.type || 'anything';
    return schema.format ? `${type} (${schema.format})` : type;
  }

  /** An example made of the examples of a schema's fields. */
  example(schema, depth = 0) {
    if (!schema || depth > 12) return null;
    if (schema.example !== undefined) return schema.example;
    if (schema.examples && schema.examples.length) return schema.examples[0];
    if (schema.$ref) return this.example(this.resolve(schema), depth + 1);
    const choice = schema.oneOf || schema.anyOf;
    if (choice) return this.example(choice.find((one) => one.type !== 'null'), depth + 1);
    if (schema.allOf) return Object.assign({}, ...schema.allOf.map((one) => this.example(one, depth + 1)));
    if (schema.enum) return schema.enum[0];
    const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
    if (type === 'array') return [this.example(schema.items, depth + 1)];
    if (schema.properties) {
      return Object.fromEntries(Object.entries(schema.properties).map(([name, field]) => [name, this.example(field, depth + 1)]));
    }
    return { string: 'text', integer: 0, number: 0, boolean: false }[type] ?? null;
  }

  /** The fields of an object, folded; nested objects are folded again. */
  fields(schema, depth = 0) {
    const found = this.resolve(schema);
    if (found.allOf) return make('div', ...found.allOf.map((one) => this.fields(one, depth)).filter(Boolean));
    if (found.type === 'array') return this.fields(found.items, depth);
    const choice = found.oneOf || found.anyOf;
    if (choice) {
      const real = choice.find((one) => one.type !== 'null');
      return real ? this.fields(real, depth) : null;
    }
    if (!found.properties || depth > 10) return null;
    const required = new Set(found.required || []);
    // What must be there first; within that, as the description lists it.
    const sorted = Object.entries(found.properties).sort(([a], [b]) => required.has(b) - required.has(a));
    const rows = sorted.map(([name, field]) => {
      const inner = this.fields(field, depth + 1);
      const description = field.description || this.resolve(field).description;
      return make('div.field',
        make('code', name), ' ', make('span.type', this.typeOf(field)), required.has(name) ? null : make('span.quiet', ' optional'),
        ...prose(description), inner && this.folded('fields', inner));
    });
    return make('div.fields', ...rows);
  }

  folded(title, content, open = false) {
    const element = make('details.schema', make('summary', title), content);
    element.open = open;
    return element;
  }

  parameters(list) {
    const rows = list.map((parameter) => make('tr',
      make('td', make('code', parameter.name), parameter.required ? make('span.must', 'required') : null),
      make('td', make('span.type', `${parameter.in}, ${this.typeOf(parameter.schema)}`)),
      make('td', ...prose(parameter.description))));
    return [make('h3', 'Parameters'), make('table.parameters', make('tbody', ...rows))];
  }

  content(body) {
    return Object.entries(body.content || {}).flatMap(([type, media]) => {
      const fields = this.fields(media.schema);
      const parts = [make('div.type', `${type}: ${this.typeOf(media.schema)}`)];
      if (fields) {
        parts.push(this.folded('Fields', fields, true));
        const text = JSON.stringify(media.example ?? this.example(media.schema), null, 2);
        parts.push(this.folded('Example', make('pre', text)));
      }
      return parts;
    });
  }

  responses(responses) {
    const rows = Object.entries(responses).sort().map(([status, response]) => {
      const codes = response['x-codes'];
      const shown = codes
        ? [make('div.codes', ...codes.map((code) => link(ERRORS + code, code)))]
        : [...prose(response.description), ...this.headers(response.headers), ...this.content(response)];
      return make('tr', make(`td.status.s${status[0]}`, status), make('td', ...shown));
    });
    return [make('h3', 'Answers'), make('table', make('tbody', ...rows))];
  }

  headers(headers) {
    return Object.entries(headers || {}).map(([name, header]) =>
      make('div.field', make('code', name), ...prose(header.description)));
  }

  curl(method, path, operation) {
    const lines = [`curl ${method === 'get' ? '' : method === 'head' ? '--head ' : `-X ${method.toUpperCase()} `}"$HOLDFAST${path}"`];
    if (operation.security && operation.security.length) lines.push('-H "Authorization: Bearer $TOKEN"');
    const media = operation.requestBody && operation.requestBody.content;
    if (media && media['application/json']) {
      lines.push("--json '" + JSON.stringify(this.example(media['application/json'].schema)) + "'");
    } else if (media) {
      lines.push('--data-binary @file');
    }
    const text = lines.join(' \\\n  ');
    const copy = make('button.copy', 'Copy');
    copy.type = 'button';
    copy.addEventListener('click', async () => {
      await navigator.clipboard.writeText(text);
      copy.textContent = 'Copied';
    });
    return [make('h3', 'Example'), make('pre', copy, text)];
  }

  call(path, method, operation) {
    const parts = path.split(/(\{[^}]+\})/).map((part) => (part.startsWith('{') ? make('b', part) : part));
    const summary = make('summary', make(`span.method.${method}`, method.toUpperCase()), make('span.path', ...parts),
      make('span.what', operation.summary || ''));
    const inside = make('div.inside');
    const element = make('details.call', summary, inside);
    element.id = operation.operationId;
    element.dataset.search = JSON.stringify([path, method, operation.operationId, operation.summary, operation.description,
      Object.values(operation.responses).map((response) => response['x-codes'])]).toLowerCase();
    // A call is drawn when it is opened for the first time: the page is there at once.
    element.addEventListener('toggle', () => {
      if (!element.open || inside.childElementCount) return;
      inside.append(...prose(operation.description));
      const locked = operation.security && operation.security.length;
      inside.append(make('p.lock', locked ? 'Needs an access token.' : 'Needs no access token.'));
      if (operation.parameters && operation.parameters.length) inside.append(...this.parameters(operation.parameters));
      if (operation.requestBody) {
        inside.append(make('h3', 'Body'), ...prose(operation.requestBody.description), ...this.content(operation.requestBody));
      }
      inside.append(...this.responses(operation.responses), ...this.curl(method, path, operation));
    });
    return element;
  }

  draw() {
    const { info, tags = [], paths } = this.api;
    const groups = new Map(tags.map((tag) => [tag.name, { about: tag.description, calls: [] }]));
    for (const [path, item] of Object.entries(paths)) {
      for (const method of METHODS.filter((one) => item[one])) {
        const tag = (item[method].tags || ['Other'])[0];
        if (!groups.has(tag)) groups.set(tag, { calls: [] });
        groups.get(tag).calls.push({ operation: item[method], element: this.call(path, method, item[method]) });
      }
    }
    const main = make('div', make('h1', info.title), ...prose(info.description));
    const side = make('div');
    for (const [tag, { about, calls }] of groups) {
      if (!calls.length) continue;
      main.append(make('h2', tag), ...prose(about), ...calls.map((call) => call.element));
      side.append(make('h2', tag), ...calls.map(({ operation }) =>
        link(`#${operation.operationId}`, operation.summary || operation.operationId)));
    }
    const empty = make('p.empty', 'Nothing found.');
    empty.hidden = true;
    main.append(empty);
    document.getElementById('main').replaceChildren(...main.childNodes);
    document.getElementById('side').replaceChildren(...side.childNodes);
  }
}

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const call of document.querySelectorAll('.call')) {
    call.hidden = !words.every((word) => call.dataset.search.includes(word));
    if (!call.hidden) found += 1;
  }
  for (const heading of document.querySelectorAll('#main > h2')) {
    let next = heading.nextElementSibling;
    let any = false;
    for (; next && next.tagName !== 'H2'; next = next.nextElementSibling) any ||= next.matches('.call:not([hidden])');
    heading.hidden = !any;
    if (heading.nextElementSibling.tagName === 'P') heading.nextElementSibling.hidden = !any;
  }
  document.querySelector('.empty').hidden = found > 0;
}

function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.matches('.call')) {
    target.open = true;
    target.scrollIntoView();
  }
}

async function start() {
  const response = await fetch('/api/v1/openapi.json');
  new Page(await response.json()).draw();
  const box = document.getElementById('search');
  box.addEventListener('input', () => search(box.value));
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== box) {
      event.preventDefault();
      box.focus();
    } else if (event.key === 'Escape' && document.activeElement === box) {
      box.value = '';
      search('');
    }
  });
  window.addEventListener('hashchange', openTarget);
  openTarget();
}

start().catch((error) => {
  document.getElementById('main').replaceChildren(make('p.quiet', `The description could not be read: ${error.message}`));
});
