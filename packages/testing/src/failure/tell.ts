// tell.ts: a failure on one screen: what was found, the story in words, a sequence diagram, what changed, how to run it again.
import type { FindingCode } from './catalogue.ts'
import type { Story } from './story.ts'

/** What is told. */
export interface Failure {
  readonly code: FindingCode
  readonly what: string
  readonly remedy: string
  readonly story: Story | undefined
  readonly token: string | undefined
}

/** See the file head. */
export function tell({ code, what, remedy, story, token }: Failure): string {
  const head = `${what} ${remedy} [${code}]`
  if (story === undefined) return head
  const steps = story.steps.map(
    ({ from, to, what: type, note, outcome }, index) =>
      `${index + 1}. ${from} -> ${to} ${type}${outcome === undefined ? '' : `: ${outcome}`}${note === undefined ? '' : ` (${note})`}`,
  )
  return [head, '', ...steps, ...(token === undefined ? [] : ['', `replay: ${token}`])].join('\n')
}
