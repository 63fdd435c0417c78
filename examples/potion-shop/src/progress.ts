// progress.ts: says how far the shop is: a bar on a terminal, a line now and then elsewhere, nothing with --json.
import { progress as bar } from '@clack/prompts'
import { count } from './report.ts'

/** See the file head. */
export interface Progress {
  /** So many orders have come to their end. */
  at(done: number, note?: string): void
  end(note: string): void
}

/** How progress shows. */
export type ProgressStyle = 'bar' | 'lines' | 'silent'

const barColumns = 80

/** What suits standard error, where progress is shown: standard output is for the report. */
export function suitableStyle(): ProgressStyle {
  const fits = process.stderr.isTTY && process.stderr.columns >= barColumns
  return fits && process.env.CI !== 'true' ? 'bar' : 'lines'
}

/** Starts to show progress towards `total` orders. */
export function showProgress(title: string, total: number, style: ProgressStyle): Progress {
  switch (style) {
    case 'bar':
      return asBar(title, total)
    case 'lines':
      return asLines(title, total)
    case 'silent':
      return { at() {}, end() {} }
  }
}

function asBar(title: string, total: number): Progress {
  const shown = bar({ max: total, size: 30, style: 'block', output: process.stderr, withGuide: false })
  // The bar takes Ctrl-C for itself and would end the process as if all were well.
  const interrupted = (): void => {
    if (process.exitCode === 0) process.exitCode = 130
  }
  process.once('exit', interrupted)
  let last = 0
  const text = (done: number, note = ''): string => `${title} ${count(done)} / ${count(total)}${note && `, ${note}`}`
  shown.start(text(0))
  return {
    at(done, note) {
      shown.advance(done - last, text(done, note))
      last = done
    },
    end(note) {
      process.off('exit', interrupted)
      shown.stop(note)
    },
  }
}

const everyMs = 2_000

function asLines(title: string, total: number): Progress {
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  let next = performance.now() + everyMs
  say(`${title}: ${count(total)} orders`)
  return {
    at(done, note = '') {
      if (performance.now() < next) return
      next = performance.now() + everyMs
      say(`${count(done)} / ${count(total)}${note && `, ${note}`}`)
    },
    end: say,
  }
}
