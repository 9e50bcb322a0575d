/** Service accounts: every namespace that is not on its way out has one called `default`. */
import { isApiError } from '../api/errors.ts'
import { namespaces } from '../api/core/namespace.ts'
import { serviceAccounts } from '../api/core/serviceaccount.ts'
import type { Controller } from './controller.ts'
import { isTerminatingNamespace } from './podcontrol.ts'
import { itself } from './run.ts'

export const serviceAccountController: Controller = {
  name: 'service-account-controller',
  setUp(env) {
    const lister = env.watch(namespaces, itself)
    const accounts = env.watch(serviceAccounts, (account) => (account.metadata.name === 'default' ? [account.metadata.namespace ?? ''] : []))
    return async (ctx, namespace, client) => {
      if (lister.at(namespace)?.status?.phase === 'Terminating' || lister.at(namespace) === undefined) return
      if (accounts.get({ namespace, name: 'default' }) !== undefined) return
      try {
        await client.create(ctx, serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } })
      } catch (error) {
        if (!isApiError(error, 'AlreadyExists') && !isTerminatingNamespace(error)) throw error
      }
    }
  },
}
