use super::*;

const HESTON: &str =
    "[market]\nmodel = \"heston\"\nv0 = 0.04\nkappa = 1.5\ntheta = 0.04\nsigma = 0.3\nrho = -0.7\n";

fn words(rest: &str) -> String {
    Strategy::parse(&format!("{HESTON}{rest}"))
        .unwrap()
        .in_words()
}

/// Strikes are said beside the spot, the name of the contract as its type, and times in the days that the strategy counts.
#[test]
fn what_is_sold_is_said_beside_the_spot() {
    assert_eq!(
        words("[contract]\ntype = \"put\"\nstrike = 105\nexpiry_days = 21\ndays = \"trading\"\n"),
        "Short 1 put at 105 % of the spot, 21 trading days, Heston, no costs, hedged daily with spot"
    );
    assert_eq!(
        words(
            "[contract]\ntype = \"american_put\"\nstrike = { moneyness = 1.0 }\nexpiry_days = 28\nsteps = 4\n"
        ),
        "Short 1 at-the-money American put, 28 calendar days, Heston, no costs, hedged weekly with spot"
    );
    let sheet = "[contract]\ntype = \"term_sheet\"\npayoff = \"max(average(S) - 100, 0)\"\nexpiry_days = 30\nsteps = 60\n";
    assert_eq!(
        words(sheet),
        "Short 1 term sheet max(average(S) - 100, 0), 30 calendar days, Heston, no costs, hedged 2 times a day with spot"
    );
}

/// Every cost that is charged is named, and every instrument.
#[test]
fn costs_and_instruments_are_named() {
    let text = "[contract]\nstrike = { delta = 0.25 }\nexpiry_days = 20\ndays = \"trading\"\nsteps = 10\n\
                [costs]\nproportional = 0.002\nfixed = 0.5\ncontracts = 100\n\
                [policy]\ninstruments = [\"spot\", { type = \"call\", strike = 110, expiry_days = 63 }]\n";
    assert_eq!(
        words(text),
        "Short 1 25-delta call, 20 trading days, Heston, costs 0.2 % + fixed 0.5 shared by 100 contracts, hedged every 2 \
         trading days with spot and a 63-day call"
    );
}
