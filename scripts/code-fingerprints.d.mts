export function codeFingerprints(read?: (path: string) => string): Readonly<Record<string, string>>
export function codeBehind(module: string): { readonly files: readonly string[]; readonly packages: readonly string[] }
