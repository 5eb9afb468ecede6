use super::*;

fn targets() -> Lane<f64> {
    std::array::from_fn(|lane| 2.0 * (lane as f64 * 1.7).sin())
}

fn held() -> Lane<f64> {
    std::array::from_fn(|lane| 0.9 * (lane as f64 * 0.6).cos())
}

const PRICES: [Lane<f64>; 2] = [[100.0; BLOCK], [40.0; BLOCK]];

const WIDTHS: Widths = Widths {
    bounds: 0.1,
    lots: 0.4,
};

fn limit() -> Limit {
    Limit {
        low: -1.0,
        high: 1.25,
        trade: 0.5,
        ..Limit::default()
    }
}

/// What one instrument at a price of 100 holds within limits.
fn alone(limits: &Limits, target: &Lane<f64>, held: &Lane<f64>) -> Lane<f64> {
    let mut positions = [*target];
    let standing = Standing {
        held: &[*held],
        prices: &PRICES[..1],
    };
    limits.hold(standing, &mut positions);
    positions[0]
}

/// Neither a position nor a trade is beyond its bounds, and a target that keeps them all is held as it is.
#[test]
fn positions_and_trades_keep_their_bounds() {
    let (targets, held) = (targets(), held());
    let position = alone(&Limits::new(vec![limit()], 110.0), &targets, &held);
    let mut kept = 0;
    for lane in 0..BLOCK {
        let (position, held, target) = (position[lane], held[lane], targets[lane]);
        assert!((-1.0..=1.1 + 1e-15).contains(&position));
        assert!((position - held).abs() <= 0.5 + 1e-15);
        if (target - held).abs() <= 0.5 && (-1.0..=1.1).contains(&target) {
            assert_eq!(position, target);
            kept += 1;
        }
    }
    assert!(kept > 0);
}

/// With lots positions are multiples of one within the bounds, and what they keep is kept to the last bit.
#[test]
fn positions_are_lots() {
    let lots = |limit: Limit, value: f64| Limits::new(vec![Limit { lot: 0.2, ..limit }], value);
    let limits = lots(limit(), 110.0);
    let held = alone(&limits, &held(), &[0.0; BLOCK]);
    let position = alone(&limits, &targets(), &held);
    for lane in 0..BLOCK {
        assert_eq!(position[lane], (position[lane] / 0.2).round() * 0.2);
        assert!((-1.0 - 1e-6..=1.1).contains(&position[lane]));
        assert!((position[lane] - held[lane]).abs() <= 0.5);
    }
    assert_eq!(alone(&limits, &position, &held), position);
    // Without other bounds it is the nearest multiple.
    let free = alone(&lots(Limit::default(), f64::INFINITY), &targets(), &held);
    for (lots, target) in free.iter().zip(targets()) {
        assert!((lots - target).abs() <= 0.1 + 1e-12);
    }
}

/// Positions that are worth more than the bound together are scaled back by one share to just that bound, others stay as they are to the
/// last bit; with lots they are multiples that are worth at most the bound and lie within a lot of their share.
#[test]
fn positions_are_scaled_back_by_one_share() {
    const BOUND: f64 = 150.0;
    let asked = [targets(), held()];
    let nothing = [[0.0; BLOCK]; 2];
    let standing = Standing {
        held: &nothing,
        prices: &PRICES,
    };
    let within = |limit: Limit| {
        let mut positions = asked;
        Limits::new(vec![limit; 2], BOUND).hold(standing, &mut positions);
        positions
    };
    let (scaled, lots) = (
        within(Limit::default()),
        within(Limit {
            lot: 0.2,
            ..Limit::default()
        }),
    );
    let (before, after, of_lots) = (
        load(&asked, &PRICES),
        load(&scaled, &PRICES),
        load(&lots, &PRICES),
    );
    let mut bound = 0;
    for lane in 0..BLOCK {
        let share = (BOUND / before[lane]).min(1.0);
        for (scaled, asked) in scaled.iter().zip(&asked) {
            assert!((scaled[lane] - share * asked[lane]).abs() < 1e-15);
        }
        match share < 1.0 {
            true => assert!((after[lane] - BOUND).abs() < 1e-12),
            false => assert_eq!(scaled.map(|x| x[lane]), asked.map(|x| x[lane])),
        }
        bound += usize::from(share < 1.0);
        assert!(of_lots[lane] <= BOUND * (1.0 + 1e-6));
        for (lots, scaled) in lots.iter().zip(&scaled) {
            assert!((lots[lane] - scaled[lane]).abs() < 0.2);
            assert!((lots[lane] / 0.2 - (lots[lane] / 0.2).round()).abs() < 1e-12);
        }
    }
    assert!((5..BLOCK - 5).contains(&bound));
}

/// As widths fall smooth limits tend to hard ones; where bounds are far away they change no bit, and neither do the hard ones.
#[test]
fn smooth_limits_tend_to_hard_ones() {
    let (asked, held) = ([targets(), held()], [held(), targets().map(|x| 0.4 * x)]);
    let standing = Standing {
        held: &held,
        prices: &PRICES,
    };
    let limits = Limits::new(vec![limit(); 2], 110.0);
    let mut hard = asked;
    limits.hold(standing, &mut hard);
    for width in [1e-1, 1e-2, 1e-3] {
        let widths = Widths {
            bounds: width,
            ..WIDTHS
        };
        let mut smooth = asked;
        limits.hold_smoothly::<f64, false>(standing, widths, &mut smooth);
        for (smooth, hard) in smooth.as_flattened().iter().zip(hard.as_flattened()) {
            // Two clips and a share, each off by at most s ln 2, which the share may double.
            assert!((smooth - hard).abs() <= 4.0 * 2f64.ln() * width);
        }
    }
    let far = Limit {
        low: -50.0,
        high: 50.0,
        trade: 80.0,
        ..Limit::default()
    };
    let limits = Limits::new(vec![far; 2], 1e5);
    let (mut smooth, mut hard) = (asked, asked);
    limits.hold_smoothly::<f64, false>(standing, WIDTHS, &mut smooth);
    limits.hold(standing, &mut hard);
    assert_eq!((smooth, hard), (asked, asked));
    let (mut clipped, mut totals, mut by_held) = (asked, [[1.0; BLOCK]; 2], asked);
    let derivatives = (&mut totals[..], &mut by_held[..]);
    limits.pull_back::<f64, false>(standing, WIDTHS, &asked, &mut clipped, derivatives);
    assert_eq!(by_held, [[0.0; BLOCK]; 2]);
    assert_eq!(totals, [[1.0; BLOCK]; 2]);
    assert!(Limits::new(vec![Limit::default(); 2], f64::INFINITY).is_none());
}

/// A smooth staircase keeps every multiple of the lot, rises, and comes to the nearest multiple as its width falls, and to x as it grows.
#[test]
fn stairs_come_to_lots_and_to_any_size() {
    const LOT: f64 = 0.2;
    let climbed = |x: f64, width: f64| {
        let mut lane = [x; BLOCK];
        Stairs::new(LOT, width).climb::<f64, false>(&mut lane);
        lane[0]
    };
    for width in [0.01, 0.1, 1.0, 10.0] {
        for n in -4..=4 {
            let multiple = f64::from(n) * LOT;
            assert!((climbed(multiple, width) - multiple).abs() < 1e-13);
        }
        let places = (-100..100).map(|i| 0.0087 * f64::from(i));
        let mut last = f64::NEG_INFINITY;
        for x in places {
            let y = climbed(x, width);
            assert!(y >= last);
            last = y;
            let (nearest, away) = ((x / LOT).round() * LOT, (x / LOT).fract().abs() - 0.5);
            if width == 0.01 && away.abs() > 0.1 {
                assert!((y - nearest).abs() < 1e-8);
            }
            // tanh(u) = u − u³/3 within the half lot on each side of a step.
            assert!(width < 10.0 || (y - x).abs() < LOT / (24.0 * width * width));
        }
    }
}

/// The derivatives of Σ_i w_i δ_i, in targets and in what is held, equal central differences: with lots and without, across instruments whose value
/// is bounded together.
#[test]
fn slopes_are_differences() {
    const BUMP: f64 = 1e-6;
    let (asked, before) = ([targets(), held()], [held(), targets().map(|x| 0.4 * x)]);
    let weights = [0.7, -1.3];
    let lots = Limit {
        lot: 0.3,
        ..limit()
    };
    for limits in [
        Limits::new(vec![limit(); 2], f64::INFINITY),
        Limits::new(vec![limit(); 2], 80.0),
        Limits::new(vec![lots, limit()], 80.0),
        Limits::new(vec![lots; 2], f64::INFINITY),
    ] {
        let value = |of: usize, target: f64, held: f64| -> Lane<f64> {
            let (mut positions, mut before) = (asked, before);
            positions[of].iter_mut().for_each(|x| *x += target);
            before[of].iter_mut().for_each(|x| *x += held);
            let standing = Standing {
                held: &before,
                prices: &PRICES,
            };
            limits.hold_smoothly::<f64, false>(standing, WIDTHS, &mut positions);
            std::array::from_fn(|lane| {
                weights[0] * positions[0][lane] + weights[1] * positions[1][lane]
            })
        };
        let (mut totals, mut by_held) = (weights.map(|weight| [weight; BLOCK]), asked);
        let mut clipped = asked;
        let standing = Standing {
            held: &before,
            prices: &PRICES,
        };
        let derivatives = (&mut totals[..], &mut by_held[..]);
        limits.pull_back::<f64, false>(standing, WIDTHS, &asked, &mut clipped, derivatives);
        for of in 0..2 {
            let (up, down) = (value(of, BUMP, 0.0), value(of, -BUMP, 0.0));
            let (more, less) = (value(of, 0.0, BUMP), value(of, 0.0, -BUMP));
            for lane in 0..BLOCK {
                let slope = |up: Lane<f64>, down: Lane<f64>| (up[lane] - down[lane]) / (2.0 * BUMP);
                assert!((totals[of][lane] - slope(up, down)).abs() < 1e-7);
                assert!((by_held[of][lane] - slope(more, less)).abs() < 1e-7);
            }
        }
    }
}
