// refusal.ts: every way a command can end badly, as one line: `code: what; what to do`.
import { catalogue, type ErrorCode, InterstateError } from '@interstate/core'
import { printable } from './printable.ts'

/** What goes wrong in the command line itself. Permanent, like the codes of `InterstateError`. */
export type RefusalCode =
  /** The call is wrong: a command, an option or an argument. */
  | 'USAGE'
  /** No store stands at the place. Looking never makes one. */
  | 'STORE_MISSING'
  /** Nothing of that name is stored. */
  | 'NOT_FOUND'
  /** A person said no, or nobody could be asked. */
  | 'NOT_CONFIRMED'
  /** The module with the definitions can't be used. */
  | 'APP_INVALID'
  /** The lanes changed again and again while they were set. */
  | 'NOT_SETTLED'

/** A command that was not carried out. */
export class Refusal extends Error {
  override readonly name: 'Refusal' = 'Refusal'
  readonly code: RefusalCode
  readonly what: string
  readonly remedy: string

  constructor(code: RefusalCode, what: string, remedy: string, options?: ErrorOptions) {
    super(`${what}; ${remedy}`, options)
    this.code = code
    this.what = what
    this.remedy = remedy
  }
}

/** How a command failed, as data. */
export interface Failure {
  readonly code: string
  readonly what: string
  readonly remedy: string
  /** 1: refused or failed. 2: the call is wrong. */
  readonly exitCode: 1 | 2
}

/** What a person at a command line does about it, where that isn't what a program does. */
const remedies: Readonly<Record<string, string>> = {
  STORE_IN_USE:
    'A running host owns the file. Stop it first, or let it answer itself: host.deadLetters, host.parked, host.read.',
  MESSAGE_UNREADABLE: 'It is damaged or of an unknown format; read its `body` with --json.',
  ENTITY_UNKNOWN: 'Export its definition from the module of --app as well, or correct the address.',
}

/** Says of anything that was thrown what happened. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refusal) {
    const { code, what, remedy } = error
    return { code, what, remedy, exitCode: code === 'USAGE' ? 2 : 1 }
  }
  if (isTyped(error)) {
    const { code, message } = error
    const remedy = remedies[code] ?? catalogue[code].remedy
    const exitCode = code === 'ADDRESS_INVALID' ? 2 : 1
    return { code, what: withoutRemedy(code, message), remedy, exitCode }
  }
  const what = error instanceof Error ? error.message : String(error)
  return { code: 'UNEXPECTED', what, remedy: 'This is a fault of the command line: please report it.', exitCode: 1 }
}

/** What happened, of the text of an error: what to do stands behind it, and the code. */
export function withoutRemedy(code: string, text: string): string {
  const entry = Object.hasOwn(catalogue, code) ? catalogue[code as ErrorCode] : undefined
  return entry === undefined ? text : text.replace(` ${entry.remedy} [${code}]`, '')
}

/** A failure as its one line. */
export function lineOf({ code, what, remedy }: Failure): string {
  return printable(`${code}: ${what.replace(/\.$/, '')}; ${remedy}`)
}

/** By name as well: the module of --app may bring a copy of core of its own. */
function isTyped(error: unknown): error is InterstateError {
  if (error instanceof InterstateError) return true
  return (
    error instanceof Error && error.name === 'InterstateError' && 'code' in error && String(error.code) in catalogue
  )
}
