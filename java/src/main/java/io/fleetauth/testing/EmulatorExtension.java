package io.fleetauth.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives JUnit 5 tests an {@link EmulatorProcess} as a parameter: one for the whole run, reset
 * before each test. Tests that script faults must not run at the same time.
 *
 * <pre>{@code
 * @ExtendWith(EmulatorExtension.class)
 * class MyTest {
 *   @Test
 *   void gets_a_token(EmulatorProcess emulator) {
 *     try (FleetUp client = emulator.fleetUp().build()) {
 *       client.token();
 *     }
 *   }
 * }
 * }</pre>
 */
public final class EmulatorExtension implements BeforeEachCallback, ParameterResolver {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(EmulatorExtension.class);

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    emulator(context).reset();
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == EmulatorProcess.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return emulator(context);
  }

  private static EmulatorProcess emulator(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(NAMESPACE)
        .getOrComputeIfAbsent("emulator", key -> new Shared(), Shared.class)
        .process;
  }

  /** Closed by JUnit at the end of the run. */
  private static final class Shared implements ExtensionContext.Store.CloseableResource {
    final EmulatorProcess process;

    Shared() {
      try {
        process = EmulatorProcess.start();
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }

    @Override
    public void close() throws IOException {
      process.close();
    }
  }
}
