/**
 * The headers that authorise a request to a fleet telematics provider. Start with the provider's
 * class, such as {@link io.fleetauth.FleetUp} or {@link io.fleetauth.MyConnectedFleet}.
 */
package io.fleetauth;
