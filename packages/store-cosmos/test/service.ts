// service.ts: the test service that all packages share.
// @boundaries-ignore The model of the service is said in one place for all packages.
export { httpClient } from '../../../test/cosmos-service/http-client.ts'
// @boundaries-ignore As above.
export { type ModelPlace, models, type Place, places, twoPaths } from '../../../test/cosmos-service/places.ts'
// @boundaries-ignore As above.
export { CosmosService, defaultKey, type ServiceOptions } from '../../../test/cosmos-service/service.ts'
