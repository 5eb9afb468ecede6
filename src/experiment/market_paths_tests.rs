use super::*;

/// Every column has the bits of the paths that the simulator draws and the quotes price, whatever the number of paths is: of one asset,
/// with an option, of two assets, and of contracts whose terms lie in ranges.
#[test]
fn a_given_path_is_written_as_it_is_drawn() {
    const COUNT: usize = 300;
    let heston =
        "model = \"heston\"\nv0 = 0.04\nkappa = 2.0\ntheta = 0.04\nsigma = 0.4\nrho = -0.6";
    let days = "expiry_days = 5\ndays_per_year = 252";
    let option = "instruments = [\"spot\", { type = \"call\", strike = { moneyness = 1.0 }, expiry_days = 10 }]";
    let texts = [
        format!("[market]\n{heston}\n[contract]\n{days}\n"),
        format!("[market]\n{heston}\n[contract]\n{days}\n[policy]\n{option}\n"),
        format!(
            "[market]\ncorrelation = [[1.0, 0.5], [0.5, 1.0]]\n[market.assets.a]\n{heston}\n[market.assets.b]\n\
             model = \"gbm\"\nvolatility = 0.2\n[contract]\ntype = \"worst_of_call\"\nstrike = 100\n{days}\n"
        ),
        format!(
            "[market]\n{}\n[contract]\nstrike = {{ moneyness = [0.9, 1.1] }}\n{days}\n",
            heston.replace("v0 = 0.04", "v0 = [0.02, 0.09]")
        ),
    ];
    for text in texts {
        let plan = Plan::parse(&text, |_| {}).unwrap();
        let market = MarketPaths::new(&plan, COUNT, (1, ""), &mut || Ok(())).unwrap();
        let size = COUNT * market.dates();
        let mut columns: Vec<Vec<f64>> = market.names().map(|_| vec![0.0; size]).collect();
        let slices = columns.iter_mut().map(Vec::as_mut_slice).collect();
        market.write(slices, &mut || Ok(())).unwrap();
        let quotes = plan.market_quotes(&plan.assets());
        let simulator = plan.simulator(plan.seed, Purpose::Export);
        let drawn: Paths<f64> = simulator.paths_with(&quotes, 0, COUNT);
        for ((name, quantity), column) in market.columns.iter().zip(&columns) {
            for path in 0..COUNT {
                let block = drawn.block(path / BLOCK);
                let rows = match quantity {
                    Quantity::Spot(asset) => block.spot_of(*asset),
                    Quantity::Variance(asset) => block.variance_of(*asset),
                    Quantity::Price(instrument) => block.price(*instrument),
                };
                let written = &column[path * market.dates()..][..market.dates()];
                for (row, written) in rows.iter().zip(written) {
                    let drawn = row[path % BLOCK];
                    assert_eq!(drawn.to_bits(), written.to_bits(), "{text}: {name}");
                }
            }
        }
    }
}
