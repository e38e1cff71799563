import { ClientError, type ErrorCode } from '../../kernel/errors.ts'

/** What the client is told if a write breaks the constraint of this name. */
export type ConstraintErrors = {
  readonly [constraint: string]: readonly [code: ErrorCode, message: string, field?: string]
}

/** Runs a write. If it breaks one of the constraints, throws that constraint's error. */
export async function explainConstraints<T>(errors: ConstraintErrors, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (cause) {
    // PostgreSQL names the constraint that was broken.
    const broken = (cause as { readonly constraint?: unknown }).constraint
    const explained = typeof broken === 'string' ? errors[broken] : undefined
    if (!explained) throw cause
    const [code, message, field] = explained
    throw new ClientError(code, message, { field, cause })
  }
}
