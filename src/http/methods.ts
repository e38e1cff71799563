/** The methods that `/graphql` answers, as `Allow` has them. */
export const METHODS = 'GET, HEAD, POST'
