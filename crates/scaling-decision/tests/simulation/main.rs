//! Scale-ins and watches under a virtual clock: the real function, the real state machine and the model of ECS and ELB together,
//! with everything going wrong at every moment. Nothing sleeps for real.

mod account;
mod events;
mod functions;
mod scene;
mod sim;
mod sweep;

mod bounds;
mod crashes;
mod deaths;
mod deployments;
mod front;
mod lags;
mod outages;
mod plain;
mod protections;
mod random;
mod requests;
mod sessions;
mod sleeps;
mod throttles;
mod wakes;
mod watch;
