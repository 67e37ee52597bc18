// What `npm pack` makes: whole, and to be used with import and with require, from TypeScript too.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = join(__dirname, '..', '..');
const TSC = join(root, 'node_modules/typescript/bin/tsc');

describe('the package', () => {
  // A service that has installed it.
  const service = mkdtempSync(join(tmpdir(), 'quotelock-service-'));
  const packed = join(service, 'node_modules/quotelock');
  after(() => rmSync(service, { recursive: true }));

  before(() => {
    mkdirSync(packed, { recursive: true });
    execFileSync('npm', ['pack', '--silent', '--pack-destination', service], { cwd: root });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    execFileSync('tar', ['xzf', join(service, `quotelock-${version}.tgz`), '--strip-components=1', '-C', packed]);
    for (const name of ['@types', '@opentelemetry', 'ioredis']) {
      symlinkSync(join(root, 'node_modules', name), join(service, 'node_modules', name));
    }
  });

  it('has its licences', () => {
    const repository = join(root, '../..');
    for (const file of ['LICENSE-MIT', 'LICENSE-APACHE']) {
      assert.equal(readFileSync(join(packed, file), 'utf8'), readFileSync(join(repository, file), 'utf8'), file);
    }
  });

  it('has a README whose links lead somewhere', () => {
    const readme = readFileSync(join(packed, 'README.md'), 'utf8').replaceAll(/^```.*?^```/gms, '');
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link as string);
    assert.ok(links.length > 5);
    const headings = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading as string));
    for (const link of links) {
      if (link.startsWith('#')) assert.ok(headings.includes(link.slice(1)), link);
      else assert.ok(link.startsWith('https://') || existsSync(join(packed, link)), link);
    }
  });

  it('can be imported and required', () => {
    const run = (args: string[]) => execFileSync(process.execPath, args, { cwd: service, encoding: 'utf8' }).trim();
    const check =
      'console.log([LockedQuoteInfo, PriceTableCopies, ServerError, VehPrice, isUnavailable, traced].map((it) => typeof it).join())';
    const names = '{ LockedQuoteInfo, PriceTableCopies, ServerError, VehPrice, isUnavailable }';
    const functions = Array(6).fill('function').join();
    assert.equal(
      run(['-e', `const ${names} = require('quotelock'); const { traced } = require('quotelock/opentelemetry'); ${check}`]),
      functions,
    );
    const esm = `import ${names} from 'quotelock'; import { traced } from 'quotelock/opentelemetry'; ${check}`;
    assert.equal(run(['--input-type=module', '-e', esm]), functions);
  });

  it('needs no OpenTelemetry where it is not used', () => {
    rmSync(join(service, 'node_modules/@opentelemetry'));
    const check = "require('quotelock'); try { require('quotelock/opentelemetry') } catch (error) { console.log(error.code) }";
    const printed = execFileSync(process.execPath, ['-e', check], { cwd: service, encoding: 'utf8' });
    symlinkSync(join(root, 'node_modules/@opentelemetry'), join(service, 'node_modules/@opentelemetry'));
    assert.equal(printed, 'MODULE_NOT_FOUND\n');
  });

  it('has types, however TypeScript looks for them', () => {
    const program = `import { Redis } from 'ioredis';
import { type Lock, QuoteLock, VehPrice, isUnavailable } from 'quotelock';
import { traced } from 'quotelock/opentelemetry';
const driver = traced(new Redis());
export const lock: Promise<Lock | null> = new QuoteLock(driver).get('42');
export const rows: Promise<({ a: string | null } | null)[]> = new VehPrice(driver).mget('t', [1], { fields: ['a'] });
export const is: boolean = isUnavailable(new Error());
`;
    for (const ending of ['mts', 'cts', 'ts']) writeFileSync(join(service, `service.${ending}`), program);
    const checked = (files: string[], module: string, resolution: string) => {
      const words = [
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        '--target',
        'es2022',
        '--module',
        module,
        '--moduleResolution',
        resolution,
      ];
      try {
        execFileSync(process.execPath, [TSC, ...words, '--types', 'node', ...files], { cwd: service, encoding: 'utf8' });
      } catch (error) {
        assert.fail(`${resolution}: ${(error as { stdout: string }).stdout}`);
      }
    };
    checked(['service.mts', 'service.cts'], 'node16', 'node16');
    checked(['service.ts'], 'commonjs', 'node10');
  });
});

/** As Markdown names a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}
