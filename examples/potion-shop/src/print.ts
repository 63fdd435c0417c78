// print.ts: the report as a person reads it: one screen.
import { styleText } from 'node:util'
import { type Check, count, type Report, rows } from './report.ts'

/** The report as text; coloured where the terminal is. */
export function print(report: Report, how: { readonly where: string; readonly notes: readonly string[] }): string {
  return [
    styleText('bold', `${count(report.orders)} orders, ${how.where}`),
    '',
    ...table(report),
    '',
    ...checks(report),
    '',
    ...work(report),
    ...how.notes.map((note) => `  ${note}`),
    '',
    verdict(report),
    '',
  ].join('\n')
}

function table({ outcomes, expected }: Report): readonly string[] {
  const head = `  ${'outcome'.padEnd(18)}${'orders'.padStart(9)}${'by the input'.padStart(15)}`
  const lines = rows
    .filter((row) => row !== 'unfinished' || outcomes.unfinished > 0)
    .map((row) => {
      const wanted = row === 'unfinished' ? 0 : expected[row]
      const figures = `${row.padEnd(18)}${count(outcomes[row]).padStart(9)}${count(wanted).padStart(15)}`
      return `  ${figures}  ${mark(outcomes[row] === wanted)}`
    })
  return [styleText('dim', head), ...lines]
}

function checks({ checks, orders, ordersInShop }: Report): readonly string[] {
  const over = orders === ordersInShop ? '' : ` over all ${count(ordersInShop)} orders that this shop was ever given`
  const line = (name: string, { agrees, says }: Check): string => `  ${mark(agrees)} ${name.padEnd(9)}${says}`
  return [
    styleText('dim', `  checked against a tally of the input that knows nothing of the framework${over}`),
    line('outcomes', checks.outcomes),
    line('money', checks.money),
    line('stock', checks.stock),
    line('carrier', checks.carrier),
    line('rest', checks.nothingStuck),
  ]
}

function work({ messages, seconds, perSecond, duplicatesRefused, kills, killsAtWork }: Report): readonly string[] {
  const handled = `  ${count(messages)} messages handled in ${seconds} s, ${count(perSecond)} a second`
  const lines = [`${handled}; ${count(duplicatesRefused)} duplicates refused`]
  if (kills > 0) lines.push(`  ${count(kills)} kills with SIGKILL, ${count(killsAtWork)} of them in the middle of work`)
  return lines
}

function verdict({ conserved }: Report): string {
  return conserved
    ? styleText(['green', 'bold'], '  Everything adds up: no order was lost, none had its effect twice.')
    : styleText(['red', 'bold'], '  It does not add up. See the lines marked above.')
}

function mark(agrees: boolean): string {
  return agrees ? styleText('green', '✓') : styleText('red', '✗')
}
