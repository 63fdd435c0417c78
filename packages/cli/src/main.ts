#!/usr/bin/env node
// main.ts: the command `interstate`: the process around program.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import colours from 'picocolors'
import { runCommand } from './program.ts'
import { openStore } from './stores.ts'

// Whoever reads may have enough: `interstate shards --all | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const { stdin, stdout, stderr, env } = process
const folder = process.cwd()

process.exitCode = await runCommand(process.argv.slice(2), {
  out: (text) => stdout.write(text),
  err: (text) => stderr.write(text),
  env,
  columns: stdout.isTTY ? stdout.columns : undefined,
  // picocolors takes CI for a terminal; without one isTTY is undefined, whatever its type says.
  hasColours: stdout.isTTY === true && colours.isColorSupported,
  confirm: stdin.isTTY && stderr.isTTY ? ask : undefined,
  now: Date.now,
  sleep,
  open: (place) => openStore(place, folder),
  folder,
})

/** On standard error: what is on standard output may be for a program. */
async function ask(message: string): Promise<boolean> {
  const { default: confirm } = await import('@inquirer/confirm')
  try {
    return await confirm({ message, default: false }, { output: stderr })
  } catch (error) {
    // Ctrl+C.
    if (error instanceof Error && error.name === 'ExitPromptError') return false
    throw error
  }
}
