// The contract of cutover and hooks, version 0.1.0, as TypeScript sees it. `wit/deps/cutover-hook.wit` says what each part means.

declare module "cutover:hook/hook-types@0.1.0" {
  /** A key and a value. */
  export type Label = [string, string];

  export type Color = "blue" | "green";

  export interface Release {
    id: string;
    revision: string | null;
    version: string | null;
    digest: string;
    labels: Label[];
  }

  export interface Instance {
    host: string;
    color: Color;
    listen: string;
    address: string;
    port: number;
    labels: Label[];
  }

  export interface Call {
    deployment: string;
    app: string;
    release: Release;
    previous: Release | null;
    color: Color;
    attempt: number;
    instances: Instance[];
    /** JSON: the `settings` table of cutover.toml. */
    settings: string;
    facts: Label[];
  }

  export interface SettingFault {
    key: string;
    reason: string;
  }

  /** What a function of a hook throws. */
  export type HookError =
    | { tag: "denied" | "temporary" | "failed"; val: string }
    | { tag: "other"; val: [string, string] };
}

declare module "cutover:hook/engine@0.1.0" {
  export type Level = "debug" | "info" | "warn" | "error";

  export function log(level: Level, message: string): void;
  export function progress(done: number, total: number, what: string): void;
  export function elapsedMs(): number;
  export function remainingMs(): number;
  export function sleepMs(ms: number): void;
}

declare module "cutover:hook/hosts@0.1.0" {
  import type { Label } from "cutover:hook/hook-types@0.1.0";

  /** The `payload` of what is thrown here. */
  export type HostError =
    | { tag: "denied" | "not-found" | "unreachable" | "broken" | "timed-out" | "failed"; val: string }
    | { tag: "other"; val: [string, string] };

  export interface Command {
    program: string;
    args: string[];
    env: Label[];
    secretEnv: Label[];
    directory: string | null;
    input: string | null;
    secretInput: string | null;
    asRoot: boolean;
    timeoutMs: number | null;
  }

  export interface Output {
    status: number;
    out: string;
    errors: string;
    truncated: boolean;
  }

  export function exec(host: string, command: Command): Output;
  export function readBytes(host: string, path: string): Uint8Array;
  export function readText(host: string, path: string): string;
  export function writeBytes(host: string, path: string, content: Uint8Array, mode: number | null): void;
  export function writeText(host: string, path: string, content: string, mode: number | null): void;
  export function writeLink(host: string, path: string, target: string): void;
  export function readLink(host: string, path: string): string;
  export function listNames(host: string, path: string): string[];
  export function remove(host: string, path: string): void;
  export function exchange(host: string, socket: string, content: string, timeoutMs: number | null): string;
}

declare module "cutover:hook/http-client@0.1.0" {
  import type { Label } from "cutover:hook/hook-types@0.1.0";

  export interface Request {
    method: string;
    url: string;
    via: string | null;
    connectTo: string | null;
    headers: Label[];
    secretHeaders: Label[];
    body: Uint8Array | null;
    secretBody: string | null;
    binary: boolean;
    timeoutMs: number | null;
  }

  export interface Response {
    status: number;
    headers: Label[];
    text: string;
    bytes: Uint8Array;
    truncated: boolean;
  }

  /** The `payload` of what is thrown here. */
  export type HttpError =
    | { tag: "denied" | "timed-out" | "connect" | "tls" | "broken"; val: string }
    | { tag: "other"; val: [string, string] };

  export function send(request: Request): Response;
}

declare module "cutover:hook/secrets@0.1.0" {
  /** The `payload` of what is thrown here. */
  export type SecretError = { tag: "denied"; val: string } | { tag: "other"; val: [string, string] };

  export function hmacSha256(name: string, prefix: string, chain: string[], data: Uint8Array): Uint8Array;
}

declare module "cutover:hook/secret-text@0.1.0" {
  export function reveal(name: string): string;
}

declare module "cutover:hook/build@0.1.0" {
  import type { Call, Label, SettingFault } from "cutover:hook/hook-types@0.1.0";

  export interface Source {
    revision: string;
    branch: string;
    checkout: string;
    output: string;
  }

  export interface Artifact {
    path: string;
    version: string | null;
    labels: Label[];
  }

  export interface Build {
    validate(settings: string): SettingFault[];
    run(call: Call, source: Source): Artifact;
  }
}

declare module "cutover:hook/health-check@0.1.0" {
  import type { Call, Instance, SettingFault } from "cutover:hook/hook-types@0.1.0";

  export type Health =
    | { tag: "healthy"; val: string | null }
    | { tag: "starting" | "unhealthy"; val: string };

  export interface HealthCheck {
    validate(settings: string): SettingFault[];
    check(call: Call, instance: Instance): Health;
  }
}

declare module "cutover:hook/smoke-test@0.1.0" {
  import type { Call, Label, SettingFault } from "cutover:hook/hook-types@0.1.0";

  export type Outcome = { tag: "passed" } | { tag: "failed" | "skipped"; val: string };

  export interface TestCase {
    name: string;
    outcome: Outcome;
    durationMs: number;
    labels: Label[];
  }

  export interface SmokeTest {
    validate(settings: string): SettingFault[];
    run(call: Call): TestCase[];
  }
}

declare module "cutover:hook/router@0.1.0" {
  import type { Call, Color, Label, SettingFault } from "cutover:hook/hook-types@0.1.0";

  export interface Routing {
    blue: number;
    green: number;
    out: string[];
  }

  export interface Observation {
    routing: Routing | null;
    settled: boolean;
    labels: Label[];
  }

  export interface Router {
    features(call: Call): string[];
    validate(settings: string): SettingFault[];
    observe(call: Call, router: string): Observation;
    prepare(call: Call, router: string, want: Routing): string;
    apply(call: Call, router: string, want: Routing): void;
    discard(call: Call, router: string): void;
    connections(call: Call, router: string, color: Color): number | null;
  }
}
