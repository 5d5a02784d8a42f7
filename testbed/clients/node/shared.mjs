// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

// What the tests of Node.js clients share. Clients find the collector by their own environment variables, which the
// Go test sets.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A name that no other test uses. */
export const unique = () => "n" + randomBytes(6).toString("hex");

/** Reads until what is read is true: UDP and EMF have no acknowledgement to wait for. */
export async function eventually(read, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const got = await read();
    if (got || Date.now() > end) return got;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Runs one of the programs in apps/, as a user would, and gives what it printed. */
export async function runApp(name, env = {}) {
  const file = fileURLToPath(new URL(`./apps/${name}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env: { ...process.env, ...env }, timeout: 120_000 });
  return stdout;
}

/** A minute that is over. */
export const pastMinute = () => new Date(Math.floor(Date.now() / 60_000) * 60_000 - 5 * 60_000);

export const minutes = (date, n) => new Date(date.getTime() + n * 60_000);
