//! Files of the user's own: prices, surfaces, chains of options. They are uploaded, examined and calibrated to by the program's own
//! commands, and jobs name them.

pub mod api;
pub mod calibrate;
pub mod examine;
pub mod examiner;
pub mod job_data;
pub mod page;
pub mod store;
