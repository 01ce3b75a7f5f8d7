/**
 * The headers that authorise a request to a fleet telematics provider. Start with {@link
 * io.fleetauth.FleetUp} or {@link io.fleetauth.MyConnectedFleet}.
 */
package io.fleetauth;
