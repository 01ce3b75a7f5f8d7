package io.fleetauth;

import java.util.Objects;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Writes events to a logger of {@code java.util.logging}, each as JSON at its own level. */
public final class EventLogger implements Consumer<FleetAuthEvent> {
  private final Logger logger;

  public EventLogger(Logger logger) {
    this.logger = Objects.requireNonNull(logger, "logger");
  }

  @Override
  public void accept(FleetAuthEvent event) {
    logger.log(level(event), event::toString);
  }

  private static Level level(FleetAuthEvent event) {
    switch (event.level()) {
      case "warning":
        return Level.WARNING;
      case "info":
        return Level.INFO;
      default:
        return Level.FINE;
    }
  }
}
