// conditions.ts: whether an item meets a condition, where "undefined" is an answer of its own
// (learn.microsoft.com/azure/cosmos-db/nosql/query/equality-comparison-operators, …/logical-operators).
import { notImplemented } from './exchange.ts'
import { isSame, type Json, type JsonObject, valueAt } from './json.ts'
import type { Comparison, Condition, Operand, Path } from './query-language.ts'

/** `undefined`: what was compared is absent or of two types; such an item is not in the result. */
export function meets(item: JsonObject, condition: Condition): boolean | undefined {
  switch (condition.kind) {
    case 'and': {
      const left = meets(item, condition.left)
      const right = meets(item, condition.right)
      return left === false || right === false ? false : left === undefined || right === undefined ? undefined : true
    }
    case 'or': {
      const left = meets(item, condition.left)
      const right = meets(item, condition.right)
      return left || right ? true : left === undefined || right === undefined ? undefined : false
    }
    case 'not': {
      const inner = meets(item, condition.inner)
      return inner === undefined ? undefined : !inner
    }
    case 'compare':
      return compared(condition.by, operandOf(item, condition.left), operandOf(item, condition.right))
    case 'in':
      return among(
        operandOf(item, condition.operand),
        condition.among.map((operand) => operandOf(item, operand)),
      )
    case 'startswith': {
      const text = operandOf(item, condition.operand)
      const prefix = operandOf(item, condition.prefix)
      return typeof text === 'string' && typeof prefix === 'string' ? text.startsWith(prefix) : undefined
    }
    case 'is_defined':
      return valueAt(item, condition.path) !== undefined
    default:
      return condition satisfies never
  }
}

/** The paths that a condition looks at: those that are not indexed make it read every item. */
export function pathsIn(condition: Condition | undefined): readonly Path[] {
  switch (condition?.kind) {
    case undefined:
      return []
    case 'and':
    case 'or':
      return [...pathsIn(condition.left), ...pathsIn(condition.right)]
    case 'not':
      return pathsIn(condition.inner)
    case 'compare':
      return [condition.left, condition.right].flatMap(pathOf)
    case 'in':
      return [condition.operand, ...condition.among].flatMap(pathOf)
    case 'startswith':
      return [condition.operand, condition.prefix].flatMap(pathOf)
    case 'is_defined':
      return [condition.path]
    default:
      return condition satisfies never
  }
}

/** The value that a condition asks for at a path whatever else it says; `undefined`: none in particular. */
export function requiredAt(condition: Condition | undefined, path: string): Json | undefined {
  if (condition?.kind === 'and') return requiredAt(condition.left, path) ?? requiredAt(condition.right, path)
  if (condition?.kind !== 'compare' || condition.by !== '=') return undefined
  const { left, right } = condition
  if ('path' in left && 'value' in right) return left.path.join('/') === path ? right.value : undefined
  return 'value' in left && 'path' in right && right.path.join('/') === path ? left.value : undefined
}

/** From undefined to text; arrays and objects are not ordered here. */
export function ordered(left: Json | undefined, right: Json | undefined): number {
  const byType = rank(left) - rank(right)
  if (byType !== 0 || left === undefined || left === null || right === undefined || right === null) return byType
  return left < right ? -1 : left > right ? 1 : 0
}

function pathOf(operand: Operand): readonly Path[] {
  return 'path' in operand ? [operand.path] : []
}

function operandOf(item: JsonObject, operand: Operand): Json | undefined {
  return 'path' in operand ? valueAt(item, operand.path) : operand.value
}

function compared(by: Comparison, left: Json | undefined, right: Json | undefined): boolean | undefined {
  if (left === undefined || right === undefined || typeOf(left) !== typeOf(right)) return undefined
  if (by === '=') return isSame(left, right)
  if (typeof left === 'object' && left !== null) return undefined
  const order = ordered(left, right)
  return by === '!='
    ? order !== 0
    : by === '<'
      ? order < 0
      : by === '<='
        ? order <= 0
        : by === '>'
          ? order > 0
          : order >= 0
}

function among(value: Json | undefined, others: readonly (Json | undefined)[]): boolean | undefined {
  if (value === undefined) return undefined
  return others.some((other) => other !== undefined && isSame(value, other))
}

function typeOf(value: Json): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

function rank(value: Json | undefined): number {
  if (value === undefined) return 0
  const found = ['null', 'boolean', 'number', 'string'].indexOf(typeOf(value))
  if (found < 0) throw notImplemented('ORDER BY a path that leads to an array or an object.')
  return found + 1
}
