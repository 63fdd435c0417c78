// signal-page.ts: writes the page of signals from the union type that declares them.
import { unionOf } from './declarations.ts'

const source = 'packages/runtime/src/signals.ts'

/** The page of signals. */
export function signalPage(): string {
  const rows = unionOf(source, 'Signal').map(({ code, doc }) => {
    const [name = '', ...fields] = fieldsOf(code)
    return `| \`${name}\` | ${doc.replaceAll('\n', ' ')} | ${fields.map((field) => `\`${field}\``).join(', ')} |`
  })
  return `${head}\n\n| signal | meaning | fields |\n| --- | --- | --- |\n${rows.join('\n')}\n\n${tail}\n`
}

/** The name of the signal, then its fields with their types. */
function fieldsOf(code: string): readonly string[] {
  const fields = [...code.matchAll(/readonly (\w+)(\??: [^\n;}]+)/g)].map(([, name, type]) => `${name}${type}`.trim())
  const [signal = '', ...rest] = fields
  return [signal.replace(/signal: '(.*)'/, '$1'), ...rest]
}

const head = `<!-- Written by \`npm run docs\` from ${source}. Edit that instead. -->

# Signals

A host tells what it does to \`onSignal\` of [\`createHost\`](api/runtime.md#createhost), as a closed union:
[\`Signal\`](api/runtime.md#signal). A signal about a turn comes after its commit is durable.`

const tail = `How to make log lines and metrics of them: [Logs and metrics](../how-to/logs-and-metrics.md). Counts since the start
are in [\`host.counters()\`](api/runtime.md#counters).`
