import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

export type Visit = AsyncDisposable & {
  page: Page;
  /** What the page asked others than the gateway for. */
  foreign: string[];
  /** What the browser complained of: errors of scripts, and what the policy of the page forbids. */
  complaints: string[];
  /** Keeps what there is to see, to be looked at. */
  show(name: string): Promise<void>;
};

/** A browser that finds no host but this machine: what a page needs must come from the gateway. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    // Its sandbox refuses root, and nothing is loaded here but pages of our own.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ['--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
  });
}

export async function visit(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const foreign: string[] = [];
  const complaints: string[] = [];
  const { host } = new URL(url);
  context.on('request', (request) => {
    const asked = new URL(request.url());
    if (!['data:', 'blob:'].includes(asked.protocol) && asked.host !== host) foreign.push(request.url());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  return {
    page,
    foreign,
    complaints,
    async show(name) {
      await page.screenshot({ path: join(import.meta.dirname, 'screenshots', `${name}.png`) });
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}
