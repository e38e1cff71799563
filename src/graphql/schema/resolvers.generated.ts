// Made by `npm run generate` from schema/*.graphql: do not edit.
/* biome-ignore-all lint: generated */
/* biome-ignore-all format: generated */
/* biome-ignore-all assist: generated */
import type { GraphQLResolveInfo, GraphQLScalarType, GraphQLScalarTypeConfig } from 'graphql';
import type { Article as ArticleModel, User as UserModel, Tag as TagModel, Written as WrittenModel } from './models.ts';
import type { Connection, Context } from '../resolving/index.ts';
export type Maybe<T> = T | null | undefined;
export type InputMaybe<T> = T | null | undefined;
export type Omit<T, K extends keyof T> = Pick<T, Exclude<keyof T, K>>;
export type RequireFields<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string | number; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** An instant, as ISO 8601 in UTC: `2026-01-31T12:00:00.000Z`. */
  DateTime: { input: string; output: Date; }
};

export type InvalidationMode =
  /** Entries that depend on the tags are loaded again by the next read. */
  | 'HARD'
  /** Entries that depend on the tags may be served stale once more while they are refreshed. */
  | 'SOFT';

/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type Mutation = {
  __typename?: 'Mutation';
  /**
   * For admins. Invalidates everything that depends on the cache tags, on every node: `articles:42`, `articles:author_id=7`,
   * `articles:title`, `articles:*`, or `articles` for everything that depends on the table. 1 to 1000 tags.
   */
  invalidateCache?: Maybe<InvalidateCachePayload>;
  createArticle?: Maybe<ArticlePayload>;
  /** For its author, and admins. */
  updateArticle?: Maybe<ArticlePayload>;
  /** For its author, and admins. Changes nothing if the article is published already. */
  publishArticle?: Maybe<ArticlePayload>;
  /** For its author, and admins. Changes nothing if the article is a draft already. */
  unpublishArticle?: Maybe<ArticlePayload>;
  /** For its author, and admins. */
  deleteArticle?: Maybe<DeletePayload>;
  /** For its author, and admins. Replaces all tags of the article by the tags with these slugs, in whatever order. */
  setArticleTags?: Maybe<ArticlePayload>;
  /** For every viewer, a limited number of times a minute. True: the view will be counted within about a second. */
  recordView?: Maybe<Scalars['Boolean']['output']>;
  /** For admins. */
  createTag?: Maybe<TagPayload>;
  /** For admins. */
  updateTag?: Maybe<TagPayload>;
  /** For admins. Its articles lose the tag. */
  deleteTag?: Maybe<DeletePayload>;
  /** For admins. */
  createUser?: Maybe<UserPayload>;
  /** For the user, and admins. Only admins may change roles. */
  updateUser?: Maybe<UserPayload>;
  /** For admins. Fails if the user has articles. */
  deleteUser?: Maybe<DeletePayload>;
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationInvalidateCacheArgs = {
  tags: Array<Scalars['String']['input']>;
  mode?: InputMaybe<InvalidationMode>;
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationCreateArticleArgs = {
  input: CreateArticleInput;
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationUpdateArticleArgs = {
  input: UpdateArticleInput;
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationPublishArticleArgs = {
  id: Scalars['ID']['input'];
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationUnpublishArticleArgs = {
  id: Scalars['ID']['input'];
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationDeleteArticleArgs = {
  id: Scalars['ID']['input'];
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationSetArticleTagsArgs = {
  id: Scalars['ID']['input'];
  tags: Array<Scalars['String']['input']>;
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationRecordViewArgs = {
  articleId: Scalars['ID']['input'];
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationCreateTagArgs = {
  input: CreateTagInput;
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationUpdateTagArgs = {
  input: UpdateTagInput;
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationDeleteTagArgs = {
  id: Scalars['ID']['input'];
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationCreateUserArgs = {
  input: CreateUserInput;
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationUpdateUserArgs = {
  input: UpdateUserInput;
};


/** A mutation that fails is null, so that the other mutations of the request keep their results. */
export type MutationDeleteUserArgs = {
  id: Scalars['ID']['input'];
};

export type InvalidateCachePayload = {
  __typename?: 'InvalidateCachePayload';
  /** A token. Sent as `Stet-As-Of`, it makes the answer of any node reflect the invalidation. */
  position: Scalars['String']['output'];
  /** The cache tags that were invalidated, each once. */
  tags: Array<Scalars['String']['output']>;
};

export type Article = Node & {
  __typename?: 'Article';
  id: Scalars['ID']['output'];
  slug: Scalars['String']['output'];
  title: Scalars['String']['output'];
  summary: Scalars['String']['output'];
  /** Markdown. */
  body: Scalars['String']['output'];
  /** The body as sanitized HTML. If it can't be rendered, its text in a `<pre>`. */
  bodyHtml: Scalars['String']['output'];
  status: ArticleStatus;
  /** Null if the author's row is lost, which only SQL with foreign keys turned off brings about. */
  author?: Maybe<User>;
  /** In the order of their names. */
  tags: Array<Tag>;
  /** About a second behind `recordView`. */
  viewCount: Scalars['Int']['output'];
  /** Null for a draft. */
  publishedAt?: Maybe<Scalars['DateTime']['output']>;
  createdAt: Scalars['DateTime']['output'];
  updatedAt: Scalars['DateTime']['output'];
  /** 1 at first, and 1 more after each update that changes something. See `UpdateArticleInput.expectedVersion`. */
  version: Scalars['Int']['output'];
};

export type ArticleStatus =
  /** Only its author and admins can see it. */
  | 'DRAFT'
  | 'PUBLISHED';

export type ArticleOrder =
  /** By date of publication, newest first. Drafts by date of creation. */
  | 'NEWEST'
  | 'OLDEST'
  | 'TITLE'
  /** By views, most viewed first. The ranking is made once a minute, unless configured otherwise. */
  | 'MOST_VIEWED';

/** An article must match all fields that are given. */
export type ArticleFilter = {
  /** A tag's slug. */
  tag?: InputMaybe<Scalars['String']['input']>;
  /** An author's username. */
  author?: InputMaybe<Scalars['String']['input']>;
  status?: InputMaybe<ArticleStatus>;
  /** Full-text search, as in a web search engine: `cache -redis "stale read"`. Finds letters in whatever form of Unicode. */
  search?: InputMaybe<Scalars['String']['input']>;
  /** Published at this instant or later. */
  publishedAfter?: InputMaybe<Scalars['DateTime']['input']>;
  /** Published before this instant. */
  publishedBefore?: InputMaybe<Scalars['DateTime']['input']>;
};

export type ArticleConnection = {
  __typename?: 'ArticleConnection';
  edges: Array<ArticleEdge>;
  nodes: Array<Article>;
  pageInfo: PageInfo;
  totalCount: Scalars['Int']['output'];
};

export type ArticleEdge = {
  __typename?: 'ArticleEdge';
  cursor: Scalars['String']['output'];
  node: Article;
};

export type Query = {
  __typename?: 'Query';
  /** One article, by either `id` or `slug`. Null if there is none that the viewer may see. */
  article?: Maybe<Article>;
  /** Articles that the viewer may see. `first` or `last`: 1 to 100. Without either: the first 20. */
  articles: ArticleConnection;
  /** Any object by its global id. Null if there is none that the viewer may see. */
  node?: Maybe<Node>;
  /** Objects in the order of `ids`, with null for each that does not exist. At most 100. */
  nodes: Array<Maybe<Node>>;
  /** One tag, by either `id` or `slug`. Null if there is none. */
  tag?: Maybe<Tag>;
  /** Tags in the order of their names. `first` or `last`: 1 to 100. Without either: the first 20. */
  tags: TagConnection;
  /** One user, by either `id` or `username`. Null if there is none. */
  user?: Maybe<User>;
  /** Users in the order of their usernames. `first` or `last`: 1 to 100. Without either: the first 20. */
  users: UserConnection;
  /** The user that the request comes from. Null for a visitor, and for an admin without a row. */
  viewer?: Maybe<User>;
};


export type QueryArticleArgs = {
  id?: InputMaybe<Scalars['ID']['input']>;
  slug?: InputMaybe<Scalars['String']['input']>;
};


export type QueryArticlesArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<ArticleFilter>;
  orderBy?: InputMaybe<ArticleOrder>;
};


export type QueryNodeArgs = {
  id: Scalars['ID']['input'];
};


export type QueryNodesArgs = {
  ids: Array<Scalars['ID']['input']>;
};


export type QueryTagArgs = {
  id?: InputMaybe<Scalars['ID']['input']>;
  slug?: InputMaybe<Scalars['String']['input']>;
};


export type QueryTagsArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
};


export type QueryUserArgs = {
  id?: InputMaybe<Scalars['ID']['input']>;
  username?: InputMaybe<Scalars['String']['input']>;
};


export type QueryUsersArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
};

export type User = Node & {
  __typename?: 'User';
  articles: ArticleConnection;
  id: Scalars['ID']['output'];
  username: Scalars['String']['output'];
  displayName: Scalars['String']['output'];
  bio: Scalars['String']['output'];
  avatarUrl?: Maybe<Scalars['String']['output']>;
  role: Role;
  createdAt: Scalars['DateTime']['output'];
  /** For the user and admins. Null for other viewers. */
  email?: Maybe<Scalars['String']['output']>;
};


export type UserArticlesArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  orderBy?: InputMaybe<ArticleOrder>;
};

export type Tag = Node & {
  __typename?: 'Tag';
  articles: ArticleConnection;
  /** How many published articles have the tag. */
  articleCount: Scalars['Int']['output'];
  id: Scalars['ID']['output'];
  slug: Scalars['String']['output'];
  name: Scalars['String']['output'];
  description: Scalars['String']['output'];
};


export type TagArticlesArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  before?: InputMaybe<Scalars['String']['input']>;
  orderBy?: InputMaybe<ArticleOrder>;
};

export type CreateArticleInput = {
  /** Something that can be seen. At most 300 characters. */
  title: Scalars['String']['input'];
  /** Markdown. */
  body: Scalars['String']['input'];
  /** Made from the title if absent. */
  slug?: InputMaybe<Scalars['String']['input']>;
  summary?: InputMaybe<Scalars['String']['input']>;
  /** Slugs of existing tags. */
  tags?: InputMaybe<Array<Scalars['String']['input']>>;
  status?: InputMaybe<ArticleStatus>;
  /** For admins. Other viewers are always the authors of their articles. */
  authorId?: InputMaybe<Scalars['ID']['input']>;
};

/** Absent fields stay unchanged. */
export type UpdateArticleInput = {
  id: Scalars['ID']['input'];
  title?: InputMaybe<Scalars['String']['input']>;
  slug?: InputMaybe<Scalars['String']['input']>;
  summary?: InputMaybe<Scalars['String']['input']>;
  body?: InputMaybe<Scalars['String']['input']>;
  tags?: InputMaybe<Array<Scalars['String']['input']>>;
  /** If the article has another version, the update fails with VERSION_CONFLICT. */
  expectedVersion?: InputMaybe<Scalars['Int']['input']>;
};

export type ArticlePayload = {
  __typename?: 'ArticlePayload';
  article: Article;
};

export type CacheControlScope =
  /** May be shared by all viewers that may see it. */
  | 'PUBLIC'
  /** For one viewer only. */
  | 'PRIVATE';

/** An object that can be fetched by its global id. */
export type Node = {
  id: Scalars['ID']['output'];
};

export type PageInfo = {
  __typename?: 'PageInfo';
  hasNextPage: Scalars['Boolean']['output'];
  hasPreviousPage: Scalars['Boolean']['output'];
  startCursor?: Maybe<Scalars['String']['output']>;
  endCursor?: Maybe<Scalars['String']['output']>;
};

export type DeletePayload = {
  __typename?: 'DeletePayload';
  deletedId: Scalars['ID']['output'];
};

export type TagConnection = {
  __typename?: 'TagConnection';
  edges: Array<TagEdge>;
  nodes: Array<Tag>;
  pageInfo: PageInfo;
  totalCount: Scalars['Int']['output'];
};

export type TagEdge = {
  __typename?: 'TagEdge';
  cursor: Scalars['String']['output'];
  node: Tag;
};

export type CreateTagInput = {
  /** Something that can be seen. At most 100 characters. */
  name: Scalars['String']['input'];
  /** Made from the name if absent. */
  slug?: InputMaybe<Scalars['String']['input']>;
  description?: InputMaybe<Scalars['String']['input']>;
};

/** Absent fields stay unchanged. */
export type UpdateTagInput = {
  id: Scalars['ID']['input'];
  name?: InputMaybe<Scalars['String']['input']>;
  slug?: InputMaybe<Scalars['String']['input']>;
  description?: InputMaybe<Scalars['String']['input']>;
};

export type TagPayload = {
  __typename?: 'TagPayload';
  tag: Tag;
};

export type Role =
  | 'AUTHOR'
  | 'ADMIN';

export type UserConnection = {
  __typename?: 'UserConnection';
  edges: Array<UserEdge>;
  nodes: Array<User>;
  pageInfo: PageInfo;
  totalCount: Scalars['Int']['output'];
};

export type UserEdge = {
  __typename?: 'UserEdge';
  cursor: Scalars['String']['output'];
  node: User;
};

export type CreateUserInput = {
  /** Lower-case letters, digits, `-` and `_`; at most 39. */
  username: Scalars['String']['input'];
  /** Something that can be seen. At most 100 characters. */
  displayName: Scalars['String']['input'];
  email: Scalars['String']['input'];
  bio?: InputMaybe<Scalars['String']['input']>;
  /** An absolute URL of http or https. */
  avatarUrl?: InputMaybe<Scalars['String']['input']>;
  role?: InputMaybe<Role>;
};

/** Absent fields stay unchanged. */
export type UpdateUserInput = {
  id: Scalars['ID']['input'];
  username?: InputMaybe<Scalars['String']['input']>;
  displayName?: InputMaybe<Scalars['String']['input']>;
  email?: InputMaybe<Scalars['String']['input']>;
  bio?: InputMaybe<Scalars['String']['input']>;
  avatarUrl?: InputMaybe<Scalars['String']['input']>;
  role?: InputMaybe<Role>;
};

export type UserPayload = {
  __typename?: 'UserPayload';
  user: User;
};



export type ResolverTypeWrapper<T> = Promise<T> | T;


export type ResolverWithResolve<TResult, TParent, TContext, TArgs> = {
  resolve: ResolverFn<TResult, TParent, TContext, TArgs>;
};
export type Resolver<TResult, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = ResolverFn<TResult, TParent, TContext, TArgs> | ResolverWithResolve<TResult, TParent, TContext, TArgs>;

export type ResolverFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => Promise<TResult> | TResult;

export type SubscriptionSubscribeFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => AsyncIterable<TResult> | Promise<AsyncIterable<TResult>>;

export type SubscriptionResolveFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;

export interface SubscriptionSubscriberObject<TResult, TKey extends string, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<{ [key in TKey]: TResult }, TParent, TContext, TArgs>;
  resolve?: SubscriptionResolveFn<TResult, { [key in TKey]: TResult }, TContext, TArgs>;
}

export interface SubscriptionResolverObject<TResult, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<any, TParent, TContext, TArgs>;
  resolve: SubscriptionResolveFn<TResult, any, TContext, TArgs>;
}

export type SubscriptionObject<TResult, TKey extends string, TParent, TContext, TArgs> =
  | SubscriptionSubscriberObject<TResult, TKey, TParent, TContext, TArgs>
  | SubscriptionResolverObject<TResult, TParent, TContext, TArgs>;

export type SubscriptionResolver<TResult, TKey extends string, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> =
  | ((...args: any[]) => SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>)
  | SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>;

export type TypeResolveFn<TTypes, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (
  parent: TParent,
  context: TContext,
  info: GraphQLResolveInfo
) => Maybe<TTypes> | Promise<Maybe<TTypes>>;

export type IsTypeOfResolverFn<T = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (obj: T, context: TContext, info: GraphQLResolveInfo) => boolean | Promise<boolean>;

export type NextResolverFn<T> = () => Promise<T>;

export type DirectiveResolverFn<TResult = Record<PropertyKey, never>, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = (
  next: NextResolverFn<TResult>,
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;




/** Mapping of interface types */
export type ResolversInterfaceTypes<_RefType extends Record<string, unknown>> = {
  Node:
    | ( ArticleModel )
    | ( UserModel )
    | ( TagModel )
  ;
};

/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  InvalidationMode: InvalidationMode;
  Mutation: ResolverTypeWrapper<Record<PropertyKey, never>>;
  ID: ResolverTypeWrapper<Scalars['ID']['output']>;
  InvalidateCachePayload: ResolverTypeWrapper<InvalidateCachePayload>;
  Article: ResolverTypeWrapper<ArticleModel>;
  ArticleStatus: ArticleStatus;
  ArticleOrder: ArticleOrder;
  ArticleFilter: ArticleFilter;
  ArticleConnection: ResolverTypeWrapper<Connection<ArticleModel>>;
  ArticleEdge: ResolverTypeWrapper<Omit<ArticleEdge, 'node'> & { node: ResolversTypes['Article'] }>;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  User: ResolverTypeWrapper<UserModel>;
  Tag: ResolverTypeWrapper<TagModel>;
  CreateArticleInput: CreateArticleInput;
  UpdateArticleInput: UpdateArticleInput;
  ArticlePayload: ResolverTypeWrapper<WrittenModel>;
  CacheControlScope: CacheControlScope;
  DateTime: ResolverTypeWrapper<Scalars['DateTime']['output']>;
  Node: ResolverTypeWrapper<ResolversInterfaceTypes<ResolversTypes>['Node']>;
  PageInfo: ResolverTypeWrapper<PageInfo>;
  DeletePayload: ResolverTypeWrapper<DeletePayload>;
  TagConnection: ResolverTypeWrapper<Connection<TagModel>>;
  TagEdge: ResolverTypeWrapper<Omit<TagEdge, 'node'> & { node: ResolversTypes['Tag'] }>;
  CreateTagInput: CreateTagInput;
  UpdateTagInput: UpdateTagInput;
  TagPayload: ResolverTypeWrapper<WrittenModel>;
  Role: Role;
  UserConnection: ResolverTypeWrapper<Connection<UserModel>>;
  UserEdge: ResolverTypeWrapper<Omit<UserEdge, 'node'> & { node: ResolversTypes['User'] }>;
  CreateUserInput: CreateUserInput;
  UpdateUserInput: UpdateUserInput;
  UserPayload: ResolverTypeWrapper<WrittenModel>;
  Int: ResolverTypeWrapper<Scalars['Int']['output']>;
  Boolean: ResolverTypeWrapper<Scalars['Boolean']['output']>;
  String: ResolverTypeWrapper<Scalars['String']['output']>;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  Mutation: Record<PropertyKey, never>;
  ID: Scalars['ID']['output'];
  InvalidateCachePayload: InvalidateCachePayload;
  Article: ArticleModel;
  ArticleFilter: ArticleFilter;
  ArticleConnection: Connection<ArticleModel>;
  ArticleEdge: Omit<ArticleEdge, 'node'> & { node: ResolversParentTypes['Article'] };
  Query: Record<PropertyKey, never>;
  User: UserModel;
  Tag: TagModel;
  CreateArticleInput: CreateArticleInput;
  UpdateArticleInput: UpdateArticleInput;
  ArticlePayload: WrittenModel;
  DateTime: Scalars['DateTime']['output'];
  Node: ResolversInterfaceTypes<ResolversParentTypes>['Node'];
  PageInfo: PageInfo;
  DeletePayload: DeletePayload;
  TagConnection: Connection<TagModel>;
  TagEdge: Omit<TagEdge, 'node'> & { node: ResolversParentTypes['Tag'] };
  CreateTagInput: CreateTagInput;
  UpdateTagInput: UpdateTagInput;
  TagPayload: WrittenModel;
  UserConnection: Connection<UserModel>;
  UserEdge: Omit<UserEdge, 'node'> & { node: ResolversParentTypes['User'] };
  CreateUserInput: CreateUserInput;
  UpdateUserInput: UpdateUserInput;
  UserPayload: WrittenModel;
  Int: Scalars['Int']['output'];
  Boolean: Scalars['Boolean']['output'];
  String: Scalars['String']['output'];
};

export type CacheControlDirectiveArgs = {
  maxAge?: Maybe<Scalars['Int']['input']>;
  scope?: Maybe<CacheControlScope>;
  inheritMaxAge?: Maybe<Scalars['Boolean']['input']>;
};

export type CacheControlDirectiveResolver<Result, Parent, ContextType = Context, Args = CacheControlDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type CostDirectiveArgs = {
  weight: Scalars['String']['input'];
};

export type CostDirectiveResolver<Result, Parent, ContextType = Context, Args = CostDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type ListSizeDirectiveArgs = {
  assumedSize?: Maybe<Scalars['Int']['input']>;
  slicingArguments?: Maybe<Array<Scalars['String']['input']>>;
  sizedFields?: Maybe<Array<Scalars['String']['input']>>;
  requireOneSlicingArgument?: Maybe<Scalars['Boolean']['input']>;
};

export type ListSizeDirectiveResolver<Result, Parent, ContextType = Context, Args = ListSizeDirectiveArgs> = DirectiveResolverFn<Result, Parent, ContextType, Args>;

export type MutationResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Mutation'] = ResolversParentTypes['Mutation']> = {
  invalidateCache?: Resolver<Maybe<ResolversTypes['InvalidateCachePayload']>, ParentType, ContextType, RequireFields<MutationInvalidateCacheArgs, 'tags' | 'mode'>>;
  createArticle?: Resolver<Maybe<ResolversTypes['ArticlePayload']>, ParentType, ContextType, RequireFields<MutationCreateArticleArgs, 'input'>>;
  updateArticle?: Resolver<Maybe<ResolversTypes['ArticlePayload']>, ParentType, ContextType, RequireFields<MutationUpdateArticleArgs, 'input'>>;
  publishArticle?: Resolver<Maybe<ResolversTypes['ArticlePayload']>, ParentType, ContextType, RequireFields<MutationPublishArticleArgs, 'id'>>;
  unpublishArticle?: Resolver<Maybe<ResolversTypes['ArticlePayload']>, ParentType, ContextType, RequireFields<MutationUnpublishArticleArgs, 'id'>>;
  deleteArticle?: Resolver<Maybe<ResolversTypes['DeletePayload']>, ParentType, ContextType, RequireFields<MutationDeleteArticleArgs, 'id'>>;
  setArticleTags?: Resolver<Maybe<ResolversTypes['ArticlePayload']>, ParentType, ContextType, RequireFields<MutationSetArticleTagsArgs, 'id' | 'tags'>>;
  recordView?: Resolver<Maybe<ResolversTypes['Boolean']>, ParentType, ContextType, RequireFields<MutationRecordViewArgs, 'articleId'>>;
  createTag?: Resolver<Maybe<ResolversTypes['TagPayload']>, ParentType, ContextType, RequireFields<MutationCreateTagArgs, 'input'>>;
  updateTag?: Resolver<Maybe<ResolversTypes['TagPayload']>, ParentType, ContextType, RequireFields<MutationUpdateTagArgs, 'input'>>;
  deleteTag?: Resolver<Maybe<ResolversTypes['DeletePayload']>, ParentType, ContextType, RequireFields<MutationDeleteTagArgs, 'id'>>;
  createUser?: Resolver<Maybe<ResolversTypes['UserPayload']>, ParentType, ContextType, RequireFields<MutationCreateUserArgs, 'input'>>;
  updateUser?: Resolver<Maybe<ResolversTypes['UserPayload']>, ParentType, ContextType, RequireFields<MutationUpdateUserArgs, 'input'>>;
  deleteUser?: Resolver<Maybe<ResolversTypes['DeletePayload']>, ParentType, ContextType, RequireFields<MutationDeleteUserArgs, 'id'>>;
};

export type InvalidateCachePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['InvalidateCachePayload'] = ResolversParentTypes['InvalidateCachePayload']> = {
  position?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  tags?: Resolver<Array<ResolversTypes['String']>, ParentType, ContextType>;
};

export type ArticleResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Article'] = ResolversParentTypes['Article']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  slug?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  title?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  summary?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  body?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  bodyHtml?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  status?: Resolver<ResolversTypes['ArticleStatus'], ParentType, ContextType>;
  author?: Resolver<Maybe<ResolversTypes['User']>, ParentType, ContextType>;
  tags?: Resolver<Array<ResolversTypes['Tag']>, ParentType, ContextType>;
  viewCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  publishedAt?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  updatedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  version?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type ArticleConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ArticleConnection'] = ResolversParentTypes['ArticleConnection']> = {
  edges?: Resolver<Array<ResolversTypes['ArticleEdge']>, ParentType, ContextType>;
  nodes?: Resolver<Array<ResolversTypes['Article']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type ArticleEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ArticleEdge'] = ResolversParentTypes['ArticleEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Article'], ParentType, ContextType>;
};

export type QueryResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  article?: Resolver<Maybe<ResolversTypes['Article']>, ParentType, ContextType, Partial<QueryArticleArgs>>;
  articles?: Resolver<ResolversTypes['ArticleConnection'], ParentType, ContextType, RequireFields<QueryArticlesArgs, 'orderBy'>>;
  node?: Resolver<Maybe<ResolversTypes['Node']>, ParentType, ContextType, RequireFields<QueryNodeArgs, 'id'>>;
  nodes?: Resolver<Array<Maybe<ResolversTypes['Node']>>, ParentType, ContextType, RequireFields<QueryNodesArgs, 'ids'>>;
  tag?: Resolver<Maybe<ResolversTypes['Tag']>, ParentType, ContextType, Partial<QueryTagArgs>>;
  tags?: Resolver<ResolversTypes['TagConnection'], ParentType, ContextType, Partial<QueryTagsArgs>>;
  user?: Resolver<Maybe<ResolversTypes['User']>, ParentType, ContextType, Partial<QueryUserArgs>>;
  users?: Resolver<ResolversTypes['UserConnection'], ParentType, ContextType, Partial<QueryUsersArgs>>;
  viewer?: Resolver<Maybe<ResolversTypes['User']>, ParentType, ContextType>;
};

export type UserResolvers<ContextType = Context, ParentType extends ResolversParentTypes['User'] = ResolversParentTypes['User']> = {
  articles?: Resolver<ResolversTypes['ArticleConnection'], ParentType, ContextType, RequireFields<UserArticlesArgs, 'orderBy'>>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  username?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  displayName?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  bio?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  avatarUrl?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  role?: Resolver<ResolversTypes['Role'], ParentType, ContextType>;
  createdAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  email?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type TagResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Tag'] = ResolversParentTypes['Tag']> = {
  articles?: Resolver<ResolversTypes['ArticleConnection'], ParentType, ContextType, RequireFields<TagArticlesArgs, 'orderBy'>>;
  articleCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  slug?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  description?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type ArticlePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['ArticlePayload'] = ResolversParentTypes['ArticlePayload']> = {
  article?: Resolver<ResolversTypes['Article'], ParentType, ContextType>;
};

export interface DateTimeScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['DateTime'], any> {
  name: 'DateTime';
}

export type NodeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['Node'] = ResolversParentTypes['Node']> = {
  __resolveType: TypeResolveFn<'Article' | 'User' | 'Tag', ParentType, ContextType>;
};

export type PageInfoResolvers<ContextType = Context, ParentType extends ResolversParentTypes['PageInfo'] = ResolversParentTypes['PageInfo']> = {
  hasNextPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  hasPreviousPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  startCursor?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  endCursor?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type DeletePayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['DeletePayload'] = ResolversParentTypes['DeletePayload']> = {
  deletedId?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
};

export type TagConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['TagConnection'] = ResolversParentTypes['TagConnection']> = {
  edges?: Resolver<Array<ResolversTypes['TagEdge']>, ParentType, ContextType>;
  nodes?: Resolver<Array<ResolversTypes['Tag']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type TagEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['TagEdge'] = ResolversParentTypes['TagEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['Tag'], ParentType, ContextType>;
};

export type TagPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['TagPayload'] = ResolversParentTypes['TagPayload']> = {
  tag?: Resolver<ResolversTypes['Tag'], ParentType, ContextType>;
};

export type UserConnectionResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UserConnection'] = ResolversParentTypes['UserConnection']> = {
  edges?: Resolver<Array<ResolversTypes['UserEdge']>, ParentType, ContextType>;
  nodes?: Resolver<Array<ResolversTypes['User']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type UserEdgeResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UserEdge'] = ResolversParentTypes['UserEdge']> = {
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  node?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type UserPayloadResolvers<ContextType = Context, ParentType extends ResolversParentTypes['UserPayload'] = ResolversParentTypes['UserPayload']> = {
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
};

export type Resolvers<ContextType = Context> = {
  Mutation?: MutationResolvers<ContextType>;
  InvalidateCachePayload?: InvalidateCachePayloadResolvers<ContextType>;
  Article?: ArticleResolvers<ContextType>;
  ArticleConnection?: ArticleConnectionResolvers<ContextType>;
  ArticleEdge?: ArticleEdgeResolvers<ContextType>;
  Query?: QueryResolvers<ContextType>;
  User?: UserResolvers<ContextType>;
  Tag?: TagResolvers<ContextType>;
  ArticlePayload?: ArticlePayloadResolvers<ContextType>;
  DateTime?: GraphQLScalarType;
  Node?: NodeResolvers<ContextType>;
  PageInfo?: PageInfoResolvers<ContextType>;
  DeletePayload?: DeletePayloadResolvers<ContextType>;
  TagConnection?: TagConnectionResolvers<ContextType>;
  TagEdge?: TagEdgeResolvers<ContextType>;
  TagPayload?: TagPayloadResolvers<ContextType>;
  UserConnection?: UserConnectionResolvers<ContextType>;
  UserEdge?: UserEdgeResolvers<ContextType>;
  UserPayload?: UserPayloadResolvers<ContextType>;
};

export type DirectiveResolvers<ContextType = Context> = {
  cacheControl?: CacheControlDirectiveResolver<any, any, ContextType>;
  cost?: CostDirectiveResolver<any, any, ContextType>;
  listSize?: ListSizeDirectiveResolver<any, any, ContextType>;
};
