// indexing.ts: which values of an item are indexed (learn.microsoft.com/azure/cosmos-db/index-policy).
import { badRequest, notImplemented } from './exchange.ts'
import { isObject, type Json, type JsonObject, valueAt } from './json.ts'

/** Decides by path; paths are property names, `[]` for any element of an array. */
export interface IndexingPolicy {
  readonly source: JsonObject
  includes(path: readonly string[]): boolean
  /** Paths that are indexed in every item, in those without them as undefined. */
  readonly named: readonly (readonly string[])[]
}

interface Rule {
  readonly steps: readonly string[]
  readonly isIncluded: boolean
  /** `/*` covers all below, `/?` the value itself. */
  readonly end: '*' | '?'
}

const everything: JsonObject = {
  indexingMode: 'consistent',
  automatic: true,
  includedPaths: [{ path: '/*' }],
  excludedPaths: [{ path: '/"_etag"/?' }],
}

/** Reads a policy; without one everything is indexed. */
export function policyOf(value: Json | undefined): IndexingPolicy {
  const source = value === undefined ? everything : value
  if (!isObject(source)) throw badRequest('An indexing policy is an object.')
  for (const name of Object.keys(source)) {
    if (!['indexingMode', 'automatic', 'includedPaths', 'excludedPaths'].includes(name)) {
      throw notImplemented(`${name} in an indexing policy.`)
    }
  }
  const { indexingMode: mode = 'consistent', automatic = true } = source
  if (mode === 'none') return { source, includes: () => false, named: [] }
  if (mode !== 'consistent' || automatic !== true) throw notImplemented('lazy or manual indexing.')
  const rules = [
    ...listOf(source.includedPaths).map((path) => ruleOf(path, true)),
    ...listOf(source.excludedPaths).map((path) => ruleOf(path, false)),
  ]
  if (!rules.some(({ steps, end }) => steps.length === 0 && end === '*')) {
    throw badRequest('An indexing policy includes or excludes the root path /*.')
  }
  const named = rules.filter(({ isIncluded: yes, end, steps }) => yes && end === '?' && !steps.includes('[]'))
  return { source, includes: (path) => isIncluded(rules, path), named: named.map(({ steps }) => steps) }
}

/** The indexed values of an item, each with its path: `["/a/[]", 1]`. System properties do not count. */
export function termsOf(item: JsonObject, policy: IndexingPolicy): ReadonlySet<string> {
  const terms = new Set<string>()
  const visit = (value: Json, path: readonly string[]): void => {
    if (Array.isArray(value)) for (const element of value as readonly Json[]) visit(element, [...path, '[]'])
    else if (isObject(value)) for (const [name, inner] of Object.entries(value)) visit(inner, [...path, name])
    else if (policy.includes(path)) terms.add(`${path.join('/')}=${JSON.stringify(value)}`)
  }
  for (const [name, value] of Object.entries(item)) {
    if (name !== 'id' && !name.startsWith('_')) visit(value, [name])
  }
  for (const path of policy.named) if (valueAt(item, path) === undefined) terms.add(`${path.join('/')} is undefined`)
  return terms
}

/** The most precise path decides; of two equal ones `/?` is more precise than `/*`. */
function isIncluded(rules: readonly Rule[], path: readonly string[]): boolean {
  let best: Rule | undefined
  const weight = ({ steps, end }: Rule): number => steps.length * 2 + (end === '?' ? 1 : 0)
  for (const rule of rules) {
    const fits = rule.steps.every((step, index) => step === path[index])
    if (!fits || (rule.end === '?' && rule.steps.length !== path.length)) continue
    if (best === undefined || weight(rule) > weight(best)) best = rule
  }
  return best?.isIncluded ?? false
}

function listOf(value: Json | undefined): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw badRequest('Paths of an indexing policy are a list.')
  return (value as readonly Json[]).map((entry) => {
    if (!isObject(entry) || typeof entry.path !== 'string') throw badRequest('A path of an indexing policy is a text.')
    return entry.path
  })
}

function ruleOf(path: string, included: boolean): Rule {
  const end = path.at(-1)
  if (!path.startsWith('/') || (end !== '*' && end !== '?')) throw badRequest(`The path ${path} ends in /? or /*.`)
  const steps = path
    .slice(1, -1)
    .split('/')
    .filter((step) => step !== '')
  return { steps: steps.map((step) => step.replace(/^"(.*)"$/, '$1')), isIncluded: included, end }
}
