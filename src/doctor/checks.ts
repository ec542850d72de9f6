/** Every check, in the order in which an operator looks: a cause stands before what follows from it. One line a check. */
import { mayRead } from './access.ts';
import { bundleFits, bundleIsThere, certificateIsThere } from './ca-bundle.ts';
import {
  asksAboutNetworkingOnly,
  conditionsAreKnown,
  controlPlaneIsExcluded,
  emergencyExitIsThere,
  ownNamespaceIsExcluded,
  seesEverything,
  sideEntriesStayOpen,
} from './exclusions.ts';
import { apiServerReachesUs, weReachApiServer } from './network.ts';
import { imageIsPulled, podsAreReady, podsAreScheduled, podsAreSteady, podsKeepRunning } from './pods.ts';
import type { Check } from './problem.ts';
import { configurationIsThere, entriesAreThere, isRegisteredOnce, leadsToService } from './registration.ts';
import { endpointsFollow, serviceHasPort, serviceIsThere, serviceLeadsToPort, serviceSelectsPods } from './service.ts';
import {
  eventsAreQuiet,
  fileIsValid,
  leaseIsHeld,
  leaseIsThere,
  nothingPassedUnjudged,
  profileLabelsWork,
  routingIsKnown,
} from './surroundings.ts';
import { trialPasses } from './trial.ts';
import { budgetLetsNodesGo, deploymentIsThere, hasOneImage, podsExist, runsBesideItself } from './workload.ts';

export const checks: readonly Check[] = [
  configurationIsThere,
  deploymentIsThere,
  imageIsPulled,
  podsKeepRunning,
  podsAreScheduled,
  podsExist,
  podsAreReady,
  serviceIsThere,
  serviceSelectsPods,
  serviceHasPort,
  serviceLeadsToPort,
  endpointsFollow,
  certificateIsThere,
  bundleIsThere,
  bundleFits,
  apiServerReachesUs,
  weReachApiServer,
  ownNamespaceIsExcluded,
  controlPlaneIsExcluded,
  sideEntriesStayOpen,
  trialPasses,
  entriesAreThere,
  isRegisteredOnce,
  leadsToService,
  mayRead,
  fileIsValid,
  emergencyExitIsThere,
  asksAboutNetworkingOnly,
  runsBesideItself,
  budgetLetsNodesGo,
  hasOneImage,
  leaseIsThere,
  leaseIsHeld,
  seesEverything,
  conditionsAreKnown,
  podsAreSteady,
  profileLabelsWork,
  nothingPassedUnjudged,
  routingIsKnown,
  eventsAreQuiet,
];
