import { type ExecutionResult, GraphQLError, OperationTypeNode } from 'graphql'
import { isPromise, type PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { Answer, Execution } from './execution.ts'
import { type FieldPlan, pathOf, type SelectionPlan } from './field-plan.ts'

/** Runs something, again and again until it is content with what that made. */
export type Repeat = <T>(run: () => PromiseOrValue<T>) => PromiseOrValue<T>

/**
 * Runs the operation of an execution. Returns what graphql-js's `execute` would return, including the errors and their order:
 * `execution.test.ts` compares the two. One that goes beyond its budget ends at once, with no data.
 * @param repeat completes the value of each field of a mutation, as often as it wants to
 */
export function runOperation(execution: Execution, repeat: Repeat): PromiseOrValue<ExecutionResult> {
  const succeed = (data: Answer): ExecutionResult => {
    const { errors } = execution
    return errors.length === 0 ? { data } : { errors, data }
  }
  const fail = (error: unknown): ExecutionResult => {
    execution.fail(error)
    return { errors: execution.errors, data: null }
  }
  try {
    // It may have been run before, in vain.
    if (!isMutation(execution)) execution.budget.checkTime()
    const data = execute(execution, repeat)
    if (!isPromise(data)) return succeed(data)
    // At once: an error that comes a tick later no longer belongs to the result.
    const result = data.then(succeed, fail)
    // A write that was begun is not given up.
    return isMutation(execution) ? result : execution.budget.inTime(result).catch(fail)
  } catch (error) {
    return fail(error)
  }
}

export const isMutation = ({ plan }: Pick<Execution, 'plan'>): boolean =>
  plan.operation.operation === OperationTypeNode.MUTATION

function execute(execution: Execution, repeat: Repeat): PromiseOrValue<Answer> {
  const { plan } = execution
  const type = plan.schema.getRootType(plan.operation.operation)
  if (!type) {
    const message = `Schema is not configured to execute ${plan.operation.operation} operation.`
    throw new GraphQLError(message, { nodes: plan.operation })
  }
  const selection = plan.root(type)
  return isMutation(execution)
    ? executeSerially(execution, selection, repeat)
    : execution.executeFields(selection, undefined, undefined)
}

/** Executes each field when those before it are done. */
async function executeSerially(
  execution: Execution,
  { fields, blank }: SelectionPlan,
  repeat: Repeat,
): Promise<Answer> {
  const answer = blank()
  for (const field of fields) answer[field.key] = await executeMutation(execution, field, repeat)
  return answer
}

/** Resolves a field once, because that writes. What it shows may be made several times. */
async function executeMutation(execution: Execution, field: FieldPlan, repeat: Repeat): Promise<unknown> {
  const path = pathOf(field, undefined)
  let value: unknown
  let isLater = false
  try {
    execution.budget.takeBytes(field.key.length + 4)
    const resolved = execution.resolve(field, undefined, undefined)
    isLater = isPromise(resolved)
    value = await resolved
  } catch (error) {
    return execution.giveUp(error, field.shape, field, path)
  }
  let last = execution
  const complete = async () => {
    const copy = execution.copy()
    last = copy
    try {
      // A promise again: a rejection passes it some ticks later, and what fails by then belongs to the result.
      return await copy.completeOrGiveUp(field.shape, field, path, isLater ? Promise.resolve(value) : value)
    } catch (error) {
      // At once: what fails a tick later no longer belongs to the result.
      copy.end()
      throw error
    }
  }
  try {
    return await repeat(complete)
  } catch (error) {
    if (field.shape.nonNull) throw error
    // `repeat` itself failed. What the field showed before is not to be shown, and the other fields keep what they have.
    last = execution.copy()
    return last.giveUp(error, field.shape, field, path)
  } finally {
    execution.adopt(last)
  }
}
