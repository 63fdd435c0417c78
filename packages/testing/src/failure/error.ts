// error.ts: the one error that the kit throws: a code, what was found, what to do, and the story on one screen.
import { type FindingCode, findings } from './catalogue.ts'
import type { Story } from './story.ts'
import { tell } from './tell.ts'

/** What is known beside the code. */
export interface FindingDetails {
  /** Of the property, guarantee, message or state that it is about; with it a finding is accepted. */
  readonly name?: string
  readonly story?: Story
  /** Runs the same again: `world.replay(token)`. */
  readonly token?: string
  /** States that were looked at, or runs that were made, until it was found. */
  readonly searched?: number
  readonly cause?: unknown
}

/** See the file head. Branch on `code`, never on the message. */
export class WorldError extends Error {
  override readonly name = 'WorldError'
  readonly code: FindingCode
  /** What was found, in a sentence. */
  readonly what: string
  /** By which it is accepted: `STATE_UNREACHED payment.refunding`. */
  readonly finding: string
  readonly story: Story | undefined
  readonly token: string | undefined
  /** States that were looked at, or runs that were made, until it was found. */
  readonly searched: number | undefined

  constructor(code: FindingCode, what: string, { name, story, token, searched, cause }: FindingDetails = {}) {
    const finding = name === undefined ? code : `${code} ${name}`
    super(tell({ code, what, remedy: findings[code], story, token, finding }), { cause })
    this.code = code
    this.what = what
    this.finding = finding
    this.story = story
    this.token = token
    this.searched = searched
  }
}
