// table.ts: the state of the story as a table for a terminal.
import { styleText } from 'node:util'
import { count } from './events.ts'
import type { HostProcess } from './host-process.ts'
import { shards } from './store.ts'
import type { Story } from './story.ts'

const colours = { A: 'cyan', B: 'magenta' } as const
const lettersInRow = 32

/** The table, and under it what has happened. */
export function table(story: Story, happened: readonly string[]): string {
  return [
    styleText('bold', story.act),
    '',
    styleText('dim', '  host   state      shards   messages/s   handled'),
    ...story.hosts.map(hostLine),
    '',
    ...map(story.hosts).map((line) => `  ${line}`),
    styleText('dim', '  each letter is a shard and who runs it; a dot: nobody does, its host is dead'),
    '',
    totalsLine(story),
    '',
    ...happened.map((line) => `  ${line}`),
  ].join('\n')
}

function hostLine(host: HostProcess): string {
  const { name, state, perSecond, handled } = host
  const owned = state === 'alive' ? host.shards.size : 0
  const word = state === 'killed' ? styleText('red', state.padEnd(9)) : state.padEnd(9)
  const figures = `${String(owned).padStart(8)}${String(perSecond).padStart(13)}${count(handled).padStart(10)}`
  return `  ${styleText(colourOf(name), name)}      ${word}${figures}`
}

function map(hosts: readonly HostProcess[]): readonly string[] {
  const letters = Array.from({ length: shards }, (_, shard) => {
    const owner = hosts.find((host) => host.state === 'alive' && host.shards.has(shard))
    return owner === undefined ? styleText('red', '·') : styleText(colourOf(owner.name), owner.name)
  })
  const rows: string[] = []
  for (let from = 0; from < shards; from += lettersInRow) rows.push(letters.slice(from, from + lettersInRow).join(' '))
  return rows
}

function totalsLine({ visitors: { admitted, repeated }, totals, right }: Story): string {
  const mark = right ? styleText('green', '✓') : styleText('red', '✗')
  const figures = `${count(admitted)} admitted, ${count(totals.doors)} at the doors, ${count(totals.halls)} in the halls`
  return `  ${mark} visitors: ${figures}; ${count(repeated)} calls made again`
}

function colourOf(name: string): 'cyan' | 'magenta' {
  return name === 'A' ? colours.A : colours.B
}
