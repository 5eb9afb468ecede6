use crate::bounds::one_of;
use crate::error::Result;
use crate::named::named;
use crate::runs::metrics::Request;
use crate::strategy::Plan;

named! {
    /// What a run in a folder of its own asks for, apart from a walk-forward.
    pub enum Command {
        Compare = "compare",
        Train = "train",
        Backtest = "backtest",
        Cross = "cross",
    }
}

impl Command {
    /// The command of a run.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if it is none of these.
    pub fn of(request: &Request) -> Result<Self> {
        one_of("command", &request.command, Self::ALL)
    }

    /// Whether all ranks of a job carry a run of this kind out together.
    pub fn is_shared(self) -> bool {
        match self {
            Self::Compare | Self::Train | Self::Cross => true,
            Self::Backtest => false,
        }
    }

    /// The part of a plan that the command asks for; the strategy file keeps the rest.
    pub fn part_of(self, mut plan: Plan) -> Plan {
        match self {
            Self::Train | Self::Cross => {
                plan.backtest = None;
                for optimizer in &mut plan.optimizers {
                    optimizer.lengths.clear();
                }
            }
            Self::Compare | Self::Backtest => {}
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command that is not known is refused by name, and is no comparison.
    #[test]
    fn unknown_commands_are_refused() {
        let request = |command: &str| Request {
            command: command.into(),
            strategy: "[market]\nmodel = \"gbm\"\nvolatility = 0.2\n[contract]\nexpiry_days = 10\n"
                .into(),
            seeds: vec![1],
            ..Request::default()
        };
        let error = crate::experiment::planned(&request("backtets")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`command` must be one of compare, train, backtest, cross, was \"backtets\""
        );
        for (name, command) in Command::ALL {
            assert_eq!(Command::of(&request(name)).unwrap(), *command);
        }
    }
}
