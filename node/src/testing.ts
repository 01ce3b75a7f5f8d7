/** Help for tests of programs that use fleetauth: the provider emulator as a fixture. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { native } from './load';
import { Provider } from './provider';

export interface EmulatorOptions {
  /** Accounts and settings, as the emulator's configuration has them. */
  config?: object | undefined;
  /** The program; by default FLEETAUTH_EMULATOR, or the one that was built in a checkout. */
  program?: string | undefined;
  /** Plain HTTP instead of TLS; clients then need allowLoopbackHttp. */
  http?: boolean | undefined;
}

interface Ready {
  url: string;
  ca_file: string;
  admin_token: string;
  providers: Record<string, Record<string, string>>;
}

/** An entry of the emulator's request log. */
export interface LogEntry {
  readonly provider: string;
  readonly endpoint: string;
  readonly status: number;
  readonly [member: string]: unknown;
}

/** A running emulator of the providers. It ends with this process, or at stop(). */
export class Emulator {
  readonly #process: ChildProcess;
  readonly #ready: Ready;
  readonly #ca: Buffer | undefined;

  private constructor(child: ChildProcess, ready: Ready) {
    this.#process = child;
    this.#ready = ready;
    this.#ca = ready.ca_file ? readFileSync(ready.ca_file) : undefined;
  }

  /** Starts one and waits until it answers. */
  static async start({ config, program, http }: EmulatorOptions = {}): Promise<Emulator> {
    const args = ['--port', '0', '--json', '--with-parent', ...(http ? ['--http'] : [])];
    const child = spawn(program ?? findProgram(), args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => {
        reject(new Error(`The emulator ended before it was ready (exit status ${String(code)}).`));
      });
    });
    const line = new Promise<string>((resolve) => createInterface(child.stdout).once('line', resolve));
    const emulator = new Emulator(child, JSON.parse(await Promise.race([line, failed])) as Ready);
    // It may idle without keeping the tests alive.
    child.unref();
    for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as { unref(): void }).unref();
    if (config) await emulator.admin('POST', '/config', config);
    return emulator;
  }

  /** `https://127.0.0.1:PORT` */
  get url(): string {
    return this.#ready.url;
  }

  /** The file with the certificate authority to trust. */
  get caFile(): string {
    return this.#ready.ca_file;
  }

  /** Where a provider is: its only base URL, or the one of that name (`api`, `auth`). */
  baseUrl(provider: string, name?: string): string {
    const urls = this.#ready.providers[provider] ?? {};
    const url = name === undefined ? Object.values(urls)[0] : urls[name];
    if (url === undefined) {
      throw new RangeError(
        `The emulator knows ${JSON.stringify(this.#ready.providers)}, but not ${provider} ${name ?? ''}`,
      );
    }
    return url;
  }

  /** Options which have a client of this provider talk to this emulator: base URLs and the trusted CA. */
  options(provider: string): Record<string, string | boolean> {
    const origins = Object.keys(Provider.builtin(provider).description.origins as object);
    // The fleet's backend is a part of Fleet Engine here.
    const emulated = provider === 'fleet_engine_device' ? 'fleet_engine' : provider;
    const option = (origin: string) => (origins.length > 1 ? `${origin}BaseUrl` : 'baseUrl');
    const bases = origins.map((origin) => [option(origin), this.baseUrl(emulated, origin)] as const);
    const trust = this.caFile ? { caFile: this.caFile } : { allowLoopbackHttp: true };
    return { ...Object.fromEntries(bases), ...trust };
  }

  /** Scripts what goes wrong next, as documented with the emulator. */
  async faults(...faults: object[]): Promise<void> {
    await this.admin('POST', '/faults', faults);
  }

  /** Lets the answers go that a fault holds at this gate. */
  async release(gate: string): Promise<void> {
    await this.admin('POST', '/release', { gate });
  }

  /** The requests so far; with `waitFor`, as soon as there are that many. */
  async log(filter: { provider?: string; endpoint?: string; waitFor?: number } = {}): Promise<LogEntry[]> {
    const { waitFor, ...exact } = filter;
    const query = new URLSearchParams({ ...exact, ...(waitFor === undefined ? {} : { wait_for: String(waitFor) }) });
    const answer = (await this.admin('GET', `/log?${query.toString()}`)) as { entries: LogEntry[] };
    return answer.entries;
  }

  /** Forgets faults and requests. */
  async reset(): Promise<void> {
    await this.admin('DELETE', '/faults');
    await this.admin('DELETE', '/log');
  }

  /** Any call of the admin API, such as `POST /clock`. */
  admin(method: string, path: string, body?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const send = this.#ca ? httpsRequest : httpRequest;
      const request = send(`${this.url}/_emulator${path}`, {
        method,
        ca: this.#ca,
        agent: false,
        headers: { authorization: `Bearer ${this.#ready.admin_token}`, 'content-type': 'application/json' },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`The emulator refused ${method} ${path}: ${text}`));
        });
      });
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Ends the emulator. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.ref();
    this.#process.stdin?.end();
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function findProgram(): string {
  const program = process.env.FLEETAUTH_EMULATOR ?? join(__dirname, '..', 'build', 'fleetauth-emulator');
  if (existsSync(program)) return program;
  throw new Error(`There is no emulator at ${program}. Set FLEETAUTH_EMULATOR to the path of fleetauth-emulator.`);
}

/** How many handles of the library are referenced in this process; a test compares it before and after. */
export function liveHandles(): number {
  return native().liveHandles();
}
