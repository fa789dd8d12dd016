import { METHODS } from 'node:http'
import type { FastifyInstance, RouteOptions } from 'fastify'
import findMyWay from 'find-my-way'
import type { RouteAudit } from './route-level.js'
import { routerFolding } from './router-folding.js'

/** A route as it was declared. */
export class DeclaredRoute {
  constructor(
    /** Its pattern, as a request to it has it. */
    readonly pattern: string,
    readonly audit: RouteAudit | undefined,
  ) {}
}

/** The route that takes a request. */
export interface FoundRoute {
  /** Absent: no route, so that the answer is 404. */
  readonly route: DeclaredRoute | undefined
  /** The pattern of a route that takes the request instead if its constraints hold (host, version and such). */
  readonly constrained: string | undefined
}

interface Declaration {
  readonly methods: readonly string[]
  readonly url: string
  readonly isConstrained: boolean
  readonly constraints: RouteOptions['constraints']
  /** True if it may have been declared as "/" under a prefix. */
  readonly isPrefix: boolean
  readonly route: DeclaredRoute
}

/** The options that an `onRoute` hook gets. */
type OnRouteOptions = Pick<RouteOptions, 'method' | 'url' | 'config' | 'constraints'> & { routePath: string }

type Router = ReturnType<typeof findMyWay>
type Method = Parameters<Router['find']>[0]

/** A host that every constrained route is made to accept. */
const ANY_HOST = 'any'

/**
 * The routes of a server, in a second router of Fastify's kind: Fastify's own does not return a route's pattern. It is
 * built when it is asked for the first time.
 */
export class RouteTable {
  private readonly declarations: Declaration[] = []
  private router: Router | undefined

  /** `config` is the one of the server's router. */
  constructor(
    private readonly app: FastifyInstance,
    private readonly config: FastifyInstance['initialConfig'],
  ) {}

  /** Takes what an `onRoute` hook is given. */
  add({ method, url, config, constraints, routePath }: OnRouteOptions): void {
    this.declarations.push({
      methods: [method].flat(),
      url,
      isConstrained: constraints !== undefined && Object.keys(constraints).length > 0,
      constraints,
      isPrefix: routePath === '' && !url.endsWith('*'),
      route: new DeclaredRoute(url, config?.audit),
    })
    this.router = undefined
  }

  /** Which route takes a request; the URL is what the router would be given, after `rewriteUrl`. */
  find(method: string, url: string): FoundRoute {
    this.router ??= this.build()
    const plain = isMethod(method) ? routeOf(this.router.find(method, url)) : undefined
    const held = isMethod(method) ? routeOf(this.router.find(method, url, { host: ANY_HOST })) : undefined
    return { route: plain, constrained: held === plain ? undefined : held?.pattern }
  }

  private build(): Router {
    const router = findMyWay(routerOptions(this.config))
    for (const [index, declaration] of this.declarations.entries()) {
      const { url, route, isConstrained } = declaration
      const constrained = isConstrained ? index : undefined
      for (const method of declaration.methods.filter(isMethod)) {
        insert(router, method, url, route, constrained)
        if (this.hasTwin(method, declaration)) insert(router, method, `${url}/`, this.twin(route), constrained)
      }
    }
    return router
  }

  /** Up to 5.12.0 a request to the twin has a pattern of its own. */
  private twin(route: DeclaredRoute): DeclaredRoute {
    const [major = 5, minor = 0, patch = 0] = this.app.version.split('.').map(Number)
    const isOwn = major === 5 && (minor < 12 || (minor === 12 && patch === 0))
    return isOwn ? new DeclaredRoute(`${route.pattern}/`, route.audit) : route
  }

  /** "/" under a prefix is there with and without its slash, but hooks see it without alone. */
  private hasTwin(method: Method, { url, constraints, isPrefix }: Declaration): boolean {
    if (!isPrefix) return false
    const twin = `${url}/`
    const isSeen = this.declarations.some((other) => other.url === twin && other.methods.includes(method))
    return !isSeen && this.app.hasRoute({ method, url: twin, ...(constraints && { constraints }) })
  }
}

function isMethod(method: string): method is Method {
  return METHODS.includes(method)
}

/**
 * Constraints are not known here, but whether there are any: such a route accepts one host, by a pattern of its own.
 */
function insert(
  router: Router,
  method: Method,
  url: string,
  route: DeclaredRoute,
  constrained: number | undefined,
): void {
  const constraints = constrained === undefined ? {} : { host: new RegExp(`^${ANY_HOST}$|^${constrained}$`) }
  try {
    router.on(method, url, { constraints }, () => undefined, route)
  } catch (error) {
    // Fastify ignores it as well: its own HEAD route for a GET route, where there is one already.
    if (!(error instanceof Error && error.message.includes('already declared for route'))) throw error
  }
}

function routeOf(found: ReturnType<Router['find']>): DeclaredRoute | undefined {
  const store: unknown = found?.store
  return store instanceof DeclaredRoute ? store : undefined
}

function routerOptions(initialConfig: FastifyInstance['initialConfig']): NonNullable<Parameters<typeof findMyWay>[0]> {
  return {
    ...routerFolding(initialConfig),
    maxParamLength: maxParamLength(initialConfig),
    // Whatever is unsafe here has been refused, or allowed, by the server's own router.
    allowUnsafeRegex: true,
  }
}

const DEFAULT_PARAM_LENGTH = 100

/** Fastify fills the default in `routerOptions` where the option was set beside it. */
function maxParamLength({ routerOptions, maxParamLength }: FastifyInstance['initialConfig']): number {
  const inside = routerOptions?.maxParamLength ?? DEFAULT_PARAM_LENGTH
  return inside === DEFAULT_PARAM_LENGTH ? (maxParamLength ?? inside) : inside
}
