use super::*;

/// Bad input ends with exit code 2 and one line that names the key, the value and the bound.
#[test]
fn bad_input_is_answered_in_one_line() {
    let replaced = |from: &str, to: &str| {
        assert!(SMALL.contains(from));
        SMALL.replace(from, to)
    };
    let option = |keys: &str| {
        let list = format!("[policy]\ninstruments = [\"spot\", {{ {keys} }}]");
        replaced("[policy]", &list)
    };
    for (name, text, expected) in [
        (
            "unknown_key",
            replaced("kappa", "kapa"),
            "`market.kapa`: unknown key, did you mean `kappa`?",
        ),
        (
            "wrong_type",
            replaced("kappa = 1.5", "kappa = \"fast\""),
            "`market.kappa`",
        ),
        (
            "negative_variance",
            replaced("v0 = 0.04", "v0 = -0.04"),
            "`market.v0` must be in [0.000001, 25], was -0.04",
        ),
        (
            "correlation",
            replaced("rho = -0.7", "rho = -1.0"),
            "`market.rho` must be in (-1, 1), was -1",
        ),
        (
            "days_that_do_not_rise",
            replaced("[market]", "[market]\nrate = [[30, 0.02], [30, 0.03]]"),
            "`market.rate[2]` must be of more days than the 30 before, was 30",
        ),
        (
            "not_a_number",
            replaced("theta = 0.04", "theta = nan"),
            "`market.theta` must be in [0.000001, 25], was NaN",
        ),
        (
            "no_paths",
            replaced("paths = 256", "paths = 0"),
            "`training.paths` must be in [1, 100000000], was 0",
        ),
        (
            "too_many_units",
            replaced("hidden = 6", "hidden = 100000"),
            "`policy.hidden` must be in [1, 4096], was 100000",
        ),
        (
            "half_a_path",
            replaced("paths = 256", "paths = 256.5"),
            "`training.paths` must be a whole number, was 256.5",
        ),
        (
            "no_toml",
            replaced("rho = -0.7", "rho = = -0.7"),
            "line 10: ",
        ),
        (
            "missing",
            replaced("sigma = 0.3", ""),
            "`market.sigma` is missing",
        ),
        (
            "foreign_key",
            replaced("v0 = 0.04", "v0 = 0.04\nvolatility = 0.2"),
            "`market.volatility` has no meaning",
        ),
        (
            "swap_in_gbm",
            "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 9\n\
             [policy]\ninstruments = [\"spot\", \"variance_swap\"]\n"
                .to_string(),
            "`policy.instruments`: \"variance_swap\" needs a model whose variance varies",
        ),
        (
            "jumps_without_size",
            "[market]\nmodel = \"merton\"\nvolatility = 0.2\njump_intensity = 10\nlog_jump_mean = 0.0\n\
             [contract]\nexpiry_days = 9\n"
                .to_string(),
            "`market.log_jump_std` is missing",
        ),
        (
            "too_many_jumps",
            "[market]\nmodel = \"merton\"\nvolatility = 0.2\njump_intensity = 1000\nlog_jump_mean = 0.0\n\
             log_jump_std = 0.01\n[contract]\nexpiry_days = 365\nsteps = 4\n"
                .to_string(),
            "`market.jump_intensity` must be at most 200.0000, 500 until expiry and 50 in a hedging period, was 1000",
        ),
        (
            "moving_variance_of_merton",
            format!(
                "[market]\nmodel = \"merton\"\nvolatility = 0.2\njump_intensity = 10\nlog_jump_mean = 0.0\n\
                 log_jump_std = 0.02\n[contract]\nexpiry_days = 9\n\
                 [backtest]\ndata = '{HISTORY}'\nvariance = \"realised\"\n"
            ),
            "`backtest.variance` must be \"model\" under the model \"merton\"",
        ),
        (
            "no_spot",
            replaced("[policy]", "[policy]\ninstruments = [\"variance_swap\"]"),
            "`policy.instruments` must be distinct instruments, \"spot\" first, was [\"variance_swap\"]",
        ),
        (
            "cost_of_what_is_not_traded",
            replaced(
                "proportional = 0.002",
                "proportional = 0.002\nvariance_swap = 0.01",
            ),
            "`costs.variance_swap` has no meaning unless",
        ),
        (
            "option_without_strike",
            option("type = \"put\""),
            "`policy.instruments.strike` is missing",
        ),
        (
            "option_of_no_kind",
            option("type = \"straddle\", strike = 95"),
            "`policy.instruments.type` must be one of call, put, was \"straddle\"",
        ),
        (
            "option_that_expires_before",
            option("type = \"put\", strike = 95, expiry_days = 5"),
            "`policy.instruments.expiry_days` must be at least `contract.expiry_days` = 10, was 5",
        ),
        (
            "option_by_delta",
            option("type = \"put\", strike = { delta = 0.25 }"),
            "`policy.instruments.strike` must be a number or { moneyness = x }",
        ),
        (
            "unknown_key_of_option",
            option("type = \"put\", strik = 95"),
            "`policy.instruments.strik`: unknown key, did you mean `strike`?",
        ),
        (
            "option_for_a_strike_by_delta",
            option("type = \"put\", strike = 95").replace("[contract]", "[contract]\nstrike = { delta = 0.25 }"),
            "`policy.instruments`: options need a `contract.strike` that is a number or { moneyness = x }",
        ),
        (
            "number_as_instrument",
            replaced("[policy]", "[policy]\ninstruments = [\"spot\", 3]"),
            "`policy.instruments` must be one of spot, variance_swap, text or a table, was 3",
        ),
        (
            "vega_without_option",
            replaced("[evaluation]", "[evaluation]\nhedges = [\"delta_vega\"]"),
            "`evaluation.hedges`: \"delta_vega\" needs an option on the contract's asset in `policy.instruments`",
        ),
        (
            "spread_of_what_is_not_traded",
            replaced(
                "proportional = 0.002",
                "proportional = 0.002\nvariance_swap_half_spread = 0.01",
            ),
            "`costs.variance_swap_half_spread` has no meaning unless",
        ),
        (
            "negative_spread",
            replaced("proportional = 0.002", "half_spread = -0.01"),
            "`costs.half_spread` must be at least 0, was -0.01",
        ),
        (
            "no_implied_volatility",
            format!(
                "{SMALL}[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\nvariance = \"implied\"\n"
            ),
            "`backtest.variance` \"implied\" needs a column of implied volatility or variance",
        ),
        (
            "no_prices_of_swaps",
            replaced(
                "[policy]",
                "[policy]\ninstruments = [\"spot\", \"variance_swap\"]",
            ) + &format!("[backtest]\ndata = '{HISTORY}'\n"),
            "`backtest`: a history of closes has no prices of the \"variance_swap\"",
        ),
        (
            "strike_in_words",
            replaced("[contract]", "[contract]\nstrike = \"atm\""),
            "`contract.strike` must be a number, { moneyness = x } or { delta = x }, was \"atm\"",
        ),
        (
            "delta_of_a_sure_exercise",
            replaced("[contract]", "[contract]\nstrike = { delta = 1.5 }"),
            "`contract.strike.delta` must be above 0 and below 1.0000, was 1.5",
        ),
        (
            "delta_of_two_strikes",
            replaced(
                "[contract]",
                "[contract]\ntype = \"strangle\"\nupper_strike = 105\nstrike = { delta = 0.25 }",
            ),
            "`contract.strike.delta` has no meaning for the type \"strangle\": give a number or { moneyness = x }",
        ),
        (
            "one_strike_too_few",
            replaced("[contract]", "[contract]\ntype = \"call_spread\""),
            "`contract.upper_strike` is missing",
        ),
        (
            "one_strike_too_many",
            replaced("[contract]", "[contract]\nupper_strike = 105"),
            "`contract.upper_strike` has no meaning for the type \"call\"",
        ),
        (
            "strikes_out_of_order",
            replaced(
                "[contract]",
                "[contract]\ntype = \"put_spread\"\nupper_strike = 95",
            ),
            "`contract.upper_strike` must be above 100, was 95",
        ),
        (
            "level",
            replaced("[policy]", "[risk]\nlevel = 1.0\n[policy]"),
            "`risk.level` must be in [0, 1), was 1",
        ),
        (
            "method",
            replaced("[optimizers.adam]", "[optimizers.sgdx]"),
            "`optimizers.sgdx.method` must be one of",
        ),
        (
            "foreign_to_the_method",
            replaced("[optimizers.adam]", "[optimizers.adam]\ndamping = 0.1"),
            "`optimizers.adam.damping`: unknown key, must be one of",
        ),
        (
            "no_block_for_curvature",
            replaced("paths = 256", "paths = 16"),
            "`optimizers.kfac.paths` must be in [32, 100000000], was 16",
        ),
        (
            "no_history_before",
            format!("{SMALL}[backtest]\ndata = '{HISTORY}'\nstart = \"1999-06-01\"\n"),
            "`backtest.start` must leave at least 251 closes before the first sale",
        ),
        (
            "no_such_history",
            format!("{SMALL}[backtest]\ndata = 'no/such/history.csv'\n"),
            "no/such/history.csv",
        ),
        (
            "unknown_repair",
            format!("{SMALL}[backtest]\ndata = '{HISTORY}'\nrepair = [\"all\"]\n"),
            "`backtest.repair` must be one of dates, blanks, prices",
        ),
        (
            "unknown_schedule",
            format!("{SMALL}[backtest]\ndata = '{HISTORY}'\nspacing = \"yearly\"\n"),
            "`backtest.spacing` must be a whole number or one of non_overlapping, daily, weekly, monthly, was \"yearly\"",
        ),
        (
            "foreign_to_the_variance",
            format!("{SMALL}[backtest]\ndata = '{HISTORY}'\nvariance_decay = 0.9\n"),
            "`backtest.variance_decay` has no meaning for the variance \"model\"",
        ),
        (
            "no_years",
            format!("{SMALL}[walk_forward]\nyears = 0.0\n"),
            "`walk_forward.years` must be positive, was 0",
        ),
        (
            "no_block",
            format!("{SMALL}[walk_forward]\nblock = 5.0\n"),
            "`walk_forward.block` has no meaning for the paths \"model\"",
        ),
        (
            "long_warm_start",
            format!("{SMALL}[walk_forward]\nwarm_share = 2.0\n"),
            "`walk_forward.warm_share` must be in (0, 1], was 2",
        ),
        (
            "malformed",
            replaced("[policy]", "[policy"),
            "malformed.toml",
        ),
    ] {
        let path = strategy(name, &text);
        let output = deephedge(
            &["compare", path.to_str().unwrap(), "--runs", "/proc/none"],
            "1",
        );
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{name}: {message}");
        assert!(message.contains(expected), "{name}: {message}");
        assert!(output.stdout.is_empty());
    }
    let path = strategy("unwritable", SMALL);
    let output = deephedge(
        &["compare", path.to_str().unwrap(), "--runs", "/proc/none"],
        "1",
    );
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("/proc/none"), "{message}");
    let output = deephedge(&["compare", "no/such/file.toml"], "1");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("no/such/file.toml")
    );
}

/// An instruction set that there is not ends with exit code 2 and one line, whatever the command.
#[test]
fn unknown_instruction_sets_are_refused() {
    for command in ["schema", "keys"] {
        let output = deephedge_with(&[command], ("DEEPHEDGE_SIMD", "mmx"));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1));
        let begins = "deephedge: `DEEPHEDGE_SIMD` must be auto or one that this processor has (";
        assert!(error.starts_with(begins), "{error}");
        assert!(error.ends_with("), was mmx\n"), "{error}");
    }
}

/// A history that cannot be used is refused in one line that names the file, the row, the column and the cell.
#[test]
fn bad_histories_are_refused() {
    let path = strategy("histories", SMALL);
    for (name, text, expected) in [
        (
            "no_close",
            "Date,Open\n2020-01-02,1\n2020-01-03,1\n",
            "no closing price column",
        ),
        (
            "nan",
            "Date,Close\n2020-01-02,1\n2020-01-03,NaN\n",
            "row 2, column \"Close\"",
        ),
        (
            "negative",
            "Date,Close\n2020-01-02,-1\n2020-01-03,1\n",
            "row 1, column \"Close\": price must be finite and above 0, was -1",
        ),
        (
            "unsorted",
            "Date,Close\n2020-01-03,1\n2020-01-02,1\n",
            "row 2, column \"Date\": dates must ascend, 2020-01-02 follows 2020-01-03",
        ),
        (
            "duplicate",
            "Date,Close\n2020-01-03,1\n2020-01-03,1\n",
            "row 2, column \"Date\": date 2020-01-03 repeats",
        ),
    ] {
        let data = path.with_file_name(format!("{name}.csv"));
        std::fs::write(&data, text).unwrap();
        let runs = path.with_extension("runs");
        let output = deephedge(
            &[
                "backtest",
                path.to_str().unwrap(),
                "--data",
                data.to_str().unwrap(),
                "--runs",
                runs.to_str().unwrap(),
            ],
            "1",
        );
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {message}");
        assert_eq!(message.trim_end().lines().count(), 1, "{name}: {message}");
        let file = format!("{name}.csv");
        assert!(
            message.contains(expected) && message.contains(&file),
            "{name}: {message}"
        );
    }
}

/// `data check` prints what was understood, every defect, and ends with exit code 2 unless all are repaired.
#[test]
fn data_check_lists_every_defect() {
    let path = strategy("check", SMALL).with_file_name("check.csv");
    std::fs::write(
        &path,
        "Date,Close\n1/2/2020,10\n1/13/2020,NaN\n1/14/2020,0\n1/3/2020,10\n1/3/2020,11\n",
    )
    .unwrap();
    let file = path.to_str().unwrap();
    let output = deephedge(&["data", "check", file, "--json"], "1");
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message, format!("deephedge: {file}: 3 defects\n"));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds: Vec<&str> = document["defects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|defect| defect["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["blanks", "prices", "duplicates"]);
    assert_eq!(document["defects"][1]["examples"][0]["row"], 3);
    let repaired = deephedge(
        &[
            "data",
            "check",
            file,
            "--repair",
            "blanks,prices,duplicates",
        ],
        "1",
    );
    assert_eq!(repaired.status.code(), Some(0));
    let text = String::from_utf8(repaired.stdout).unwrap();
    assert!(text.contains("2 days, 2020-01-02 to 2020-01-03"), "{text}");
    let short = path.with_file_name("check-short.csv");
    std::fs::write(&short, "Date,Close\n2020-01-02,10\n").unwrap();
    let output = deephedge(&["data", "check", short.to_str().unwrap()], "1");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("1 day, 2020-01-02 to 2020-01-02"), "{text}");
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.ends_with("needs at least 2 rows of data, has 1\n"),
        "{message}"
    );
    let unknown = deephedge(&["data", "check", file, "--repair", "all"], "1");
    let message = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        message.contains("`--repair` must be one of dates, blanks"),
        "{message}"
    );
}
