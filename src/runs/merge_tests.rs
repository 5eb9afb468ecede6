use super::*;
use crate::runs::fixture::Scratch;
use std::fs;

const STRATEGY: &str = "name = \"small\"\n[training]\nsteps = 14\n";

/// A shard of a job of two trainings a shard, as `change` asks for it, with `trained` of them done.
fn shard(
    root: &Path,
    (number, of): (usize, usize),
    trained: usize,
    change: impl FnOnce(&mut Request),
) -> RunFolder {
    let mut request = Request {
        command: "compare".into(),
        strategy: STRATEGY.into(),
        seeds: vec![1, 2],
        trainings: 2,
        job_trainings: Some(2 * of),
        shard: Some(Shard { number, of }),
        ..Request::default()
    };
    change(&mut request);
    let (folder, _) = store::begin(root, &format!("s-{number}"), request, |folder| {
        (0..trained).try_for_each(|training| {
            let file = format!("{}/adam-{training}.json", RunFolder::TRAININGS);
            folder.write_bytes(&file, b"{}")
        })
    })
    .unwrap();
    folder
}

fn refusal(folders: &[&RunFolder]) -> String {
    let folders = folders.iter().map(|folder| (*folder).clone());
    match Shards::of(folders.collect()) {
        Ok(_) => panic!("not refused"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        }
    }
}

/// In any order the shards of a job are one job, with all their trainings.
#[test]
fn shards_are_one_job_in_any_order() {
    let root = Scratch::new("merge-order");
    let shards: Vec<RunFolder> = (1..=3)
        .map(|number| shard(root.path(), (number, 3), 2, |_| {}))
        .collect();
    let mixed = [2, 0, 1].map(|index: usize| shards[index].clone());
    let merged = Shards::of(mixed.to_vec()).unwrap();
    let ids = |folders: &[RunFolder]| -> Vec<String> {
        folders
            .iter()
            .map(|folder| folder.id().to_owned())
            .collect()
    };
    assert_eq!(ids(merged.folders()), ids(&shards));
    let request = merged.request();
    assert_eq!((request.trainings, request.shard), (6, None));
    assert_eq!(request.strategy, STRATEGY);
}

/// What differs is named by key or option, with both values.
#[test]
fn shards_of_other_jobs_are_refused() {
    let root = Scratch::new("merge-foreign");
    let first = shard(root.path(), (1, 2), 2, |_| {});
    let (id, second) = (first.id().to_owned(), (2, 2));
    type Change<'a> = &'a dyn Fn(&mut Request);
    let changes: [(Change<'_>, &str); 6] = [
        (
            &|r| r.strategy = STRATEGY.replace("14", "20"),
            "`training.steps` is 20, there it is 14",
        ),
        (
            &|r| r.strategy = format!("seed = 3\n{STRATEGY}"),
            "`seed` is 3, there it is absent",
        ),
        (
            &|r| r.strategy = format!("# mine\n{STRATEGY}"),
            "`strategy` is another text",
        ),
        (&|r| r.seeds = vec![1], "seeds [1], there [1, 2]"),
        (&|r| r.frontier = vec![0.5], "frontier [0.5], there []"),
        (
            &|r| r.command = "cross".into(),
            "made by cross, there compare",
        ),
    ];
    for (change, expected) in changes {
        let other = shard(root.path(), second, 2, change);
        let expected = format!(
            "run `{}`: of another job than run `{id}`: {expected}",
            other.id()
        );
        assert_eq!(refusal(&[&first, &other]), expected);
    }
    let cut = shard(root.path(), (2, 3), 2, |_| {});
    assert!(refusal(&[&first, &cut]).ends_with(": is shard 2 of 3, that is shard 1 of 2"));
    let whole = shard(root.path(), second, 2, |r| r.shard = None);
    assert_eq!(
        refusal(&[&first, &whole]),
        format!("run `{}`: no shard of a job", whole.id())
    );
    let mut newer = shard(root.path(), second, 2, |_| {});
    let mut request = newer.request().unwrap().unwrap();
    request.version = Some("99.0.0".into());
    newer.write_request(&request).unwrap();
    let said = refusal(&[&first, &newer]);
    assert!(
        said.contains("shard 2 of 2, made by deephedge 99.0.0"),
        "{said}"
    );
    newer = shard(root.path(), second, 2, |_| {});
    fs::write(newer.path().join("comparison.json"), "{").unwrap();
    let said = refusal(&[&first, &newer]);
    assert!(
        said.starts_with(&format!("run `{}`: comparison.json: ", newer.id())),
        "{said}"
    );
}

/// Shards that are missing, there twice or not trained to their end are named, with what goes on.
#[test]
fn incomplete_jobs_are_refused() {
    let root = Scratch::new("merge-incomplete");
    let [first, second, other] = [1, 2, 2].map(|k| shard(root.path(), (k, 4), 2, |_| {}));
    assert_eq!(refusal(&[&second]), "shards 1, 3 and 4 of 4 are missing");
    let twice = refusal(&[&first, &other, &second]);
    let expected = format!(
        "shard 2 of 4 is there twice: {} and {}",
        other.path().display(),
        second.path().display()
    );
    assert_eq!(twice, expected);
    let third = shard(root.path(), (3, 4), 1, |_| {});
    assert_eq!(
        refusal(&[&first, &second, &third]),
        "shard 4 of 4 is missing"
    );
    let fourth = shard(root.path(), (4, 4), 0, |_| {});
    let expected = format!(
        "run `{0}`: shard 3 of 4, 1 of 2 trainings; go on with `compare --resume {0}`",
        third.id()
    );
    assert_eq!(refusal(&[&fourth, &third, &second, &first]), expected);
    let held = progress::hold(&third).unwrap();
    let said = refusal(&[&first, &second, &third, &fourth]);
    assert!(
        said.ends_with("1 of 2 trainings; is being carried out"),
        "{said}"
    );
    drop(held);
    let many = shard(root.path(), (1, 40), 2, |_| {});
    assert_eq!(
        refusal(&[&many]),
        "shards 2, 3, 4, 5, 6, 7, 8, 9 and 31 more of 40 are missing"
    );
}
