package io.fleetauth;

import java.util.concurrent.CompletionStage;

/** As {@link Signer}, for who gets the signature without a thread that waits. */
@FunctionalInterface
public interface AsyncSigner {
  /**
   * As {@link Signer#sign}. What the stage fails with comes out in the same way. A stage that is a
   * {@link java.util.concurrent.Future} is cancelled when its signature is no longer wanted.
   *
   * @param data the header and the payload of a token
   */
  CompletionStage<byte[]> sign(byte[] data) throws Exception;
}
