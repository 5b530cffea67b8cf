// Looks at pages in a real Chromium: what is asked comes as JSON on standard input, what was seen goes out as JSON.
//   {base, targets, pictures: directory or null, token: text or null, click: text or null}
// Each target at phone and desktop width, in both colour schemes; then without JavaScript.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const require = createRequire(join(process.env.NODE_MODULES_AT, 'x.js'));
const {chromium} = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const WIDTHS = {phone: {width: 390, height: 844}, desktop: {width: 1280, height: 900}};

// Runs in the page: keeps what the content security policy refused.
const watchPolicy = () => {
  window.refused = [];
  document.addEventListener('securitypolicyviolation', (e) => window.refused.push(`${e.violatedDirective} ${e.blockedURI}`));
};

const facts = () => ({
  title: document.title,
  h1: document.querySelector('h1')?.textContent ?? '',
  text: document.querySelector('main')?.innerText ?? '',
  scripts: [...document.scripts].map((s) => s.getAttribute('src')),
  elements: document.querySelectorAll('main img, main iframe, main script, main style, main object').length,
  tooWide: document.scrollingElement.scrollWidth > window.innerWidth,
  progress: [...document.querySelectorAll('progress')].map((p) => p.value),
  background: getComputedStyle(document.body).backgroundColor,
  refused: window.refused ?? [],
});

async function look(browser, ask, target, width, scheme, script) {
  const context = await browser.newContext({viewport: WIDTHS[width], colorScheme: scheme, javaScriptEnabled: script,
    httpCredentials: ask.token ? {username: 'x', password: ask.token} : undefined});
  const page = await context.newPage();
  const seen = {target, width, scheme, script, foreign: [], errors: [], violations: []};
  page.on('request', (r) => { if (!r.url().startsWith(ask.base)) seen.foreign.push(r.url()); });
  page.on('pageerror', (e) => seen.errors.push(String(e)));
  page.on('console', (m) => { if (m.type() === 'error' && !/status of 40[014]/.test(m.text())) seen.errors.push(m.text()); });
  page.on('dialog', (d) => { seen.errors.push(`dialog: ${d.message()}`); d.dismiss(); });
  if (script) await page.addInitScript(watchPolicy);
  await page.goto(ask.base + target, {waitUntil: 'load'});
  if (script) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run(document, {resultTypes: ['violations']}));
    seen.violations = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
    Object.assign(seen, await page.evaluate(facts));
    if (ask.pictures)
      await page.screenshot({path: join(ask.pictures, `${target.replace(/\W+/g, '_')}-${width}-${scheme}.png`), fullPage: width === 'phone'});
  } else {
    seen.text = await page.locator('main').innerText();
    seen.html = await page.content();
  }
  await context.close();
  return seen;
}

// The page shows what changed by itself: waits until `text` stands there, without a reload.
async function waitFor(browser, ask) {
  const page = await browser.newPage({viewport: WIDTHS.desktop});
  await page.addInitScript(watchPolicy);
  await page.goto(ask.base + ask.targets[0]);
  await page.evaluate(() => { window.same = true; });
  process.stdout.write('"open"\n');
  await page.waitForFunction((text) => document.querySelector('main').innerText.includes(text), ask.wait_for, {timeout: 60000});
  return {same: await page.evaluate(() => window.same === true), ...await page.evaluate(facts)};
}

// Everything by keyboard: the first stop leads to the content, the search can be used.
async function useKeys(browser, ask) {
  const page = await browser.newPage({viewport: WIDTHS.desktop});
  await page.goto(ask.base + '/');
  await page.keyboard.press('Tab');
  const first = await page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press('Enter');
  const inside = await page.evaluate(() => document.activeElement.id);
  await page.focus('#q');
  await page.keyboard.type(ask.keys);
  await page.keyboard.press('Enter');
  await page.waitForURL(/search/);
  return {first, inside, text: await page.locator('main').innerText()};
}

// What a page elsewhere gets when its script asks: nothing.
async function fromElsewhere(browser, ask) {
  const page = await browser.newPage();
  await page.goto(ask.elsewhere);
  return page.evaluate(async (base) => {
    const results = {};
    results.fetch = await fetch(base + '/api/v1/status').then((r) => r.text(), (e) => `refused: ${e.name}`);
    results.opaque = await fetch(base + '/api/v1/status', {mode: 'no-cors'}).then((r) => `${r.type} ${r.status}`, (e) => `refused: ${e.name}`);
    results.picture = await new Promise((done) => {
      const i = new Image();
      i.onload = () => done('loaded');
      i.onerror = () => done('refused');
      i.src = base + '/icon.svg';
    });
    results.frame = await new Promise((done) => {
      const f = document.createElement('iframe');
      f.onload = () => { try { done(f.contentDocument ? 'readable' : 'blocked'); } catch { done('blocked'); } };
      f.src = base + '/';
      document.body.append(f);
    });
    return results;
  }, ask.base);
}

const ask = JSON.parse(readFileSync(0, 'utf8'));
const profile = mkdtempSync(join(tmpdir(), 'impomero-chromium-'));
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS, headless: true,
  env: {...process.env, HOME: profile}});
try {
  let seen = [];
  if (ask.wait_for) seen = await waitFor(browser, ask);
  else if (ask.keys) seen = await useKeys(browser, ask);
  else if (ask.elsewhere) seen = await fromElsewhere(browser, ask);
  else
    for (const target of ask.targets) {
      for (const width of Object.keys(WIDTHS))
        for (const scheme of ['light', 'dark']) seen.push(await look(browser, ask, target, width, scheme, true));
      seen.push(await look(browser, ask, target, 'desktop', 'light', false));
    }
  process.stdout.write(JSON.stringify(seen) + '\n');
} finally {
  await browser.close();
  rmSync(profile, {recursive: true, force: true});
}
