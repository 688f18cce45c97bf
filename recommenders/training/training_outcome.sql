-- The outcome that is recorded of a training.
SELECT outcome FROM trainings FINAL WHERE training_id = {training_id:String}
