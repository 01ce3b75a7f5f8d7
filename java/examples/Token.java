import io.fleetauth.FleetUp;

/** Gets a FleetUp token: FLEETUP_API_KEY=… FLEETUP_ACCT_ID=… FLEETUP_SECRET=… java -cp fleetauth.jar Token.java */
public final class Token {
  public static void main(String[] arguments) {
    FleetUp.Builder builder =
        FleetUp.builder()
            .apiKey(System.getenv("FLEETUP_API_KEY"))
            .acctId(Long.parseLong(System.getenv("FLEETUP_ACCT_ID")))
            .secret(System.getenv("FLEETUP_SECRET"));
    if (System.getenv("FLEETUP_BASE_URL") != null) builder.baseUrl(System.getenv("FLEETUP_BASE_URL"));
    if (System.getenv("FLEETUP_CA_FILE") != null) builder.caFile(System.getenv("FLEETUP_CA_FILE"));
    try (FleetUp client = builder.build()) {
      System.out.println(client.token());
    }
  }
}
