/**
 * What becomes of an entry that is compared with the source:
 *
 *   right    it holds what the source holds
 *   wrong    it doesn't, and would have been served: there is a fault in the engine, or in what the kind depends on
 *   fallen   it doesn't stand: nobody is given it
 *   unknown  it is of no kind here, or of one whose keys can't be read back
 */
export type Verdict = 'right' | 'wrong' | 'fallen' | 'unknown'
