// orders.ts: reads orders, one JSON object a line. A bad line is reported with its number and stops nothing.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { potions } from './catalogue.ts'

const potion = z.string().refine((name) => Object.hasOwn(potions, name), { error: 'is no potion of this shop' })
const schema = z.object({
  /** The order number. */
  order: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, { error: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' }),
  placedAt: z.iso
    .datetime({ offset: true, error: 'must be a time like 2026-01-31T12:00:00Z' })
    .refine((time) => Date.parse(time) >= 0, { error: 'must not be before 1970' }),
  lines: z
    .array(z.object({ potion, quantity: z.int().min(1).max(999) }))
    .min(1)
    .max(20),
  /** What the customer can pay at most. */
  limitCents: z.int().min(0),
  /** Whether the customer confirms a large payment. */
  confirms: z.boolean(),
  shipTo: z.string().min(1).max(100),
})

/** An order as a customer places it. */
export type Order = z.infer<typeof schema>
/** An order and where it stands in the input. */
export interface OrderLine {
  readonly line: number
  readonly order: Order
}
/** A line that is no order. */
export interface BadLine {
  readonly line: number
  readonly problem: string
}

/** Reads a file, or with `-` what comes in. */
export async function readSource(path: string): Promise<string> {
  return path === '-' ? text(process.stdin) : readFile(path, 'utf8')
}

/** The orders of a text, and what of it is none. An order that is there twice is given twice. */
export function readOrders(text: string): { readonly lines: readonly OrderLine[]; readonly bad: readonly BadLine[] } {
  const lines: OrderLine[] = []
  const bad: BadLine[] = []
  for (const [index, row] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (row.trim() === '') continue
    const line = index + 1
    const result = schema.safeParse(parse(row))
    if (result.success) lines.push({ line, order: result.data })
    else bad.push({ line, problem: problemOf(result.error) })
  }
  return { lines, bad }
}

const noJson = Symbol('no JSON')

function parse(row: string): unknown {
  try {
    return JSON.parse(row)
  } catch {
    return noJson
  }
}

function problemOf({ issues }: z.ZodError): string {
  const [issue] = issues
  if (issue === undefined || issue.path.length === 0) return 'is no JSON object'
  return `${issue.path.join('.')}: ${issue.message}`
}
