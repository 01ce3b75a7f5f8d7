package io.fleetauth;

/** Signs tokens with a key that the library need not have: in a key store, an HSM, a KMS. */
@FunctionalInterface
public interface Signer {
  /**
   * The signature of these bytes with RSASSA-PKCS1-v1_5 and SHA-256, which {@link
   * java.security.Signature} calls {@code SHA256withRSA}. It is not verified. What is thrown comes
   * out at whoever asked for the token: unchanged, but for a checked exception of a call that
   * waits, which is the cause of a {@link FleetAuthException}.
   *
   * <p>It is called by the client's executor and may block. If its answer comes too late it is
   * dropped.
   *
   * @param data the header and the payload of a token
   */
  byte[] sign(byte[] data) throws Exception;
}
